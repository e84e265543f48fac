"""Tables: reading files and data frames, kinds of columns, encoders of columns and of the target, summaries."""
