"""One training run: the compiled step, the chunks that it runs in, and what happens when it diverges."""
