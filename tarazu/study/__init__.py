"""`tz.study`: experiments that retrain a model to say why it generalizes as it does, and what would help."""
