"""From per-sample losses and curves to numbers."""
