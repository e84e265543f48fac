"""Models and tensors on disk: save, load, export."""
