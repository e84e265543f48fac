"""Layers, a file for each family; `checks` of inputs are shared.

dense (of one input, and of two), einsum_dense, activation, normalization (batch, layer and RMS norm), group_norm (and
instance and unit norm), regularization (dropout and its relatives), noise, augmentation (of images), reshaping, and
sequential, which calls others in order; sequences/ has recurrent layers, attention and embeddings, spatial/
convolution, pooling, resizing and what else works on sequences, images and volumes, reparametrized/ weight and spectral
norm, preprocessing/ what learns from data before training.
"""
