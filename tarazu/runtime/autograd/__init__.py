"""Gradients for users: backward, grad, Jacobians and Hessians, gradient tapes, and the check of gradients.

autograd.py has `backward`, `grad` and `no_grad`, derivatives.py products with Jacobians, Jacobians and Hessians,
gradient_tape.py TensorFlow's `GradientTape`, grad_check.py the check. on_tape.py puts results on the tape, tracked.py
the arguments of `grad`; walk_program.py runs backward passes that come often as programs. The tape itself, where `grad`
begins and ends to record (`tape.level`), and the backward pass (`vjp.walk_back`) are in transform/gradient.
"""
