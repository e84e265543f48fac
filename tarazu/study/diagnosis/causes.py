"""The causes of bad generalization, in words that need no statistics."""

from __future__ import annotations

from typing import NamedTuple

HEALTHY, UNDECIDED = "healthy", "undecided"


class Cause(NamedTuple):
    """What a cause means, what undoes it, and whether it makes a model overfit."""

    means: str
    remedy: str
    is_of_variance: bool = False  # it shows as a gap between the losses on training rows and on new ones


CAUSES = {
    "too_little_data": Cause("The model has learned what these few rows happen to be like.", "more rows", True),
    "too_much_capacity": Cause(
        "The model is flexible enough to learn single rows by heart.",
        "a smaller or more regularized model, or the weights of its best epoch", True),
    "label_noise": Cause(
        "Some targets are wrong, and the model learns them too.", "corrected or left out rows", True),
    "too_little_capacity": Cause("The model is too small for what there is to learn.", "a wider or deeper model"),
    "too_little_training": Cause("The training ends while the model still gets better.", "more epochs"),
    "learning_rate_too_high": Cause("The steps are so large that the model jumps over good weights.",
                                    "a lower learning rate"),
    "too_much_regularisation": Cause("Dropout or decay keep the model from learning what there is.",
                                     "less dropout and decay"),
    "shift": Cause("The rows that it is tested on are of another kind than those that it was trained on.",
                   "training rows like those it will meet"),
    "leakage": Cause("Something in the inputs tells the answer that will not be there in use.",
                     "inputs, or validation rows, without it"),
}

def in_words(cause: str) -> str:
    """A cause as people write it: "too little data"."""
    return cause.replace("_", " ")
