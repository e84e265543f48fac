"""Random changes of images, drawn for each sample of a batch: `tz.data.augment`.

They take (batch, height, width, channels), uint8 or floats, and give the same dtype; they draw from `tz.random` and are
traced, so that in `dataset.batch(64).map(lambda x, y: (augment.flip(x), y))` they are part of the program that trains.
The layers `tz.nn.RandomFlip` and so on apply them while a model trains.

geometry: flip, crop, shift, rotate, zoom, shear. colors: brightness, contrast, saturation, hue, grayscale, noise.
regions: erase, cutout. mixing: mixup, cutmix, which change targets too. parameters: checks, and factors that are drawn.
"""

from tarazu.runtime.augment.colors import brightness, contrast, grayscale, hue, noise, saturation
from tarazu.runtime.augment.geometry import crop, flip, rotate, shear, shift, zoom
from tarazu.runtime.augment.mixing import cutmix, mixup
from tarazu.runtime.augment.regions import cutout, erase

__all__ = ["brightness", "contrast", "crop", "cutmix", "cutout", "erase", "flip", "grayscale", "hue", "mixup", "noise",
           "rotate", "saturation", "shear", "shift", "zoom"]


def __dir__() -> list[str]:
    return __all__
