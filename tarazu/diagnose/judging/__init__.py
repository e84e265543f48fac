"""The judge: rules that turn a history into findings, and findings into a verdict."""
