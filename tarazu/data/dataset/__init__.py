"""`Dataset`: samples of any source, and what becomes of them on the way to a model.

dataset.py has the class, whose methods add stages; stage.py has their base and the random streams of epochs. The first
stage is a source: sources.py (arrays, sequences, iterables), table_files.py (CSV and Parquet larger than memory).
views.py gives samples by other numbers (parts, shuffles, repetitions, windows, several datasets together), maps.py
calls functions, in_order.py has what must read in order, batching.py and collate.py put samples together. execute.py
runs functions one after another or in threads, processes.py in worker processes, which run worker.py; what they are
given is in tasks.py.
"""
