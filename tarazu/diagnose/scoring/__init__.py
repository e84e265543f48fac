"""Scores of predictions: of classes, of numbers, of probabilities, and what each column contributes to them."""
