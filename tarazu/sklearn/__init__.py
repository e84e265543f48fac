"""`tz.sklearn`: networks as estimators of scikit-learn, for its pipelines, searches and meta-estimators.

classifier.py and regressor.py are the estimators that learn, on estimator.py, their base; transformer.py gives what a
layer puts out. inputs.py turns tables, arrays and sparse matrices into the features of a network, targets.py the
targets into what a loss compares (heads.py cuts the outputs of a network where there are several targets), weights.py
has the weights of rows, parameters.py checks what was passed, model_files.py keeps networks in pickles.

>>> import tarazu as tz
>>> flowers = {"color": ["red", "blue"] * 20, "petals": [5, 4] * 20}
>>> import pandas as pd
>>> model = tz.sklearn.NetworkClassifier(epochs=30, learning_rate=0.01, random_state=0)
>>> model.fit(pd.DataFrame(flowers), ["rose", "poppy"] * 20).predict(pd.DataFrame({"color": ["blue"], "petals": [4]}))
array(['poppy'], dtype='<U5')
"""

import typing

import tarazu.base.extras as _extras

_extras.require("sklearn", "tz.sklearn", "sklearn")

from tarazu.sklearn.classifier import NetworkClassifier  # noqa: E402
from tarazu.sklearn.regressor import NetworkRegressor  # noqa: E402
from tarazu.sklearn.transformer import NetworkTransformer  # noqa: E402

__all__ = ["NetworkClassifier", "NetworkRegressor", "NetworkTransformer"]


def __dir__() -> list[str]:
    return __all__


if not typing.TYPE_CHECKING:  # to which any name would be right
    from tarazu.base.hints.missing import no_attributes_beside

    __getattr__ = no_attributes_beside(__name__)
