"""Callbacks: objects that `fit` notifies. base.py has their base class.

progress.py (bar and lines; progress_text.py has their texts), keep_best.py and early_stopping.py (on monitor.py: one
metric over epochs), checkpoint.py (with checkpoint_folder.py, its files, and run_state.py, what it keeps of a run).
rates.py lowers the learning rate, best_model.py saves the best model, logs.py writes the rows of the history,
tensorboard_events.py the model's graph for TensorBoard; small.py has callbacks of a few lines.
"""
