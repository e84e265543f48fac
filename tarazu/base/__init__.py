"""What everything stands on and nothing here knows about the rest: errors, dtypes, nested containers, settings."""
