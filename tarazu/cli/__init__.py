"""The `tarazu` command."""
