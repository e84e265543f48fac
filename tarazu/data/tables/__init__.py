"""Tables: reading files and data frames, kinds of columns, encoders of columns and of the target, summaries.

Reading: read.py, csv_file.py, files.py, frames.py. table.py holds a table; column_kinds.py guesses what a
column is. encoder.py encodes whole tables, feature_encoder.py their features, column_encoders.py and date_encoder.py
single columns of these, target.py the target; json_reading.py
reads saved encoders; summary.py counts, training_notes.py warns of what a
model would learn. Missing cells: columns/column.py says which texts are missing, column_encoders.py what
they become as features.
"""
