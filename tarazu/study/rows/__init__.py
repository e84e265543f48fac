"""Studies of the rows: features that give the target away, validation rows of another kind, wrong targets."""
