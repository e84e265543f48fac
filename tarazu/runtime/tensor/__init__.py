"""Tensors: the handle that users hold, its operators, and what it borrows from other libraries."""
