"""Gradients for users: backward, grad, Jacobians and Hessians, gradient tapes, and the check of gradients.

The gradient tape itself and the backward pass are in transform/gradient; on_tape.py is how results get onto the tape.
"""
