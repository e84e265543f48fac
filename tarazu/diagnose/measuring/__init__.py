"""Measuring: per-sample losses and curves in, numbers with their intervals out; nothing here judges."""
