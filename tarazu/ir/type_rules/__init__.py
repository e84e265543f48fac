"""Type rules: shape and dtype of the result of each primitive."""
