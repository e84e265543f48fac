"""Tensors: the handle that users hold, its operators, how it is made, and what it borrows from other libraries."""
