"""`tz.draw`: pictures of predictions, of what is in a model, and of what its outputs rest on.

scores.py draws predictions beside the truth; images.py images and filters; layers.py histograms of weights and
activations; attention.py who attends to whom; gradients.py and occlusion.py what an output rests on, inputs.py what
these share; regions.py where two features lead to which class; arrays.py turns what users have into arrays. Each gives
a `Picture`, whose `values` are the numbers that were computed for it.
"""

from tarazu.draw.attention import attention
from tarazu.draw.gradients import gradients, integrated_gradients
from tarazu.draw.images import filters, images
from tarazu.draw.layers import activations, weights
from tarazu.draw.occlusion import occlusion
from tarazu.draw.regions import regions
from tarazu.draw.scores import calibration, confusion, precision_recall, predictions, residuals, roc
from tarazu.picture.picture import Picture

__all__ = ["Picture", "activations", "attention", "calibration", "confusion", "filters", "gradients", "images",
           "integrated_gradients", "occlusion", "precision_recall", "predictions", "regions", "residuals", "roc",
           "weights"]


def __dir__() -> list[str]:
    return __all__
