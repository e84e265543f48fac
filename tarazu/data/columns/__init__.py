"""Single columns: their values, how numbers and dates in them are written, and what is worth a note about them.

column.py holds a column, values.py spells its values, numbers.py and dates.py read those; identifiers.py finds
columns that name rows, notes.py has what is told of a column.
"""
