"""Single columns: their values, how numbers and dates in them are written, and what is worth a note about them."""
