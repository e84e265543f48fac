"""`tz.study`: experiments that retrain a model to say why it generalizes as it does, and what would help."""

from tarazu.study.decompose.additive import LossTerms, decompose_cross_entropy, decompose_squared
from tarazu.study.decompose.bias_variance import BiasVariance, BiasVariancePoint, bias_variance
from tarazu.study.decompose.decomposition import Decomposition, ZeroOneDecomposition
from tarazu.study.decompose.zero_one import ZeroOneTerms, decompose_zero_one
from tarazu.study.rows.leakage import Leakage, SuspectFeature, leakage
from tarazu.study.rows.row_order import Copies, NumberedColumn
from tarazu.study.rows.shift import ColumnDifference, Shift, shift

__all__ = [
    "BiasVariance",
    "BiasVariancePoint",
    "ColumnDifference",
    "Copies",
    "Decomposition",
    "Leakage",
    "LossTerms",
    "NumberedColumn",
    "Shift",
    "SuspectFeature",
    "ZeroOneDecomposition",
    "ZeroOneTerms",
    "bias_variance",
    "decompose_cross_entropy",
    "decompose_squared",
    "decompose_zero_one",
    "leakage",
    "shift",
]
