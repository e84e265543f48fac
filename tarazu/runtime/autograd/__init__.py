"""Gradients for users: backward, grad, Jacobians and Hessians, gradient tapes, and the check of gradients."""
