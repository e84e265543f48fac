"""Callbacks: objects that `fit` notifies. base.py has their base class.

progress.py (bar and lines), keep_best.py and early_stopping.py (on monitor.py: one metric over epochs), checkpoint.py
(with checkpoint_folder.py, its files, and run_state.py, what it keeps of a run).
"""
