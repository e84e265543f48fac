"""Functions of images, channels last, that convolution and pooling do not need; most work for any number of axes.

sampling.py has sampling at computed positions, rearrange.py moves elements between axes and channels, patches.py cuts
images into patches and sums them up again, color.py converts colors, filters.py blurs.
"""
