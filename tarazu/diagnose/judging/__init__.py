"""From a history to findings and a verdict."""
