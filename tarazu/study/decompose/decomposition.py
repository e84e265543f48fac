"""What a decomposition gives: its terms with intervals, as a learner reads them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from tarazu.study.curves.estimates import Estimate
from tarazu.study.decompose.additive import LossTerms, decompose_cross_entropy, decompose_squared
from tarazu.study.decompose.estimates import estimate, estimate_mean
from tarazu.study.decompose.zero_one import ZeroOneTerms, decompose_zero_one, disagreements

ROUNDING = 1e-6  # of the loss; models compute with single precision


@dataclass(frozen=True)
class Decomposition:
    """A mean loss and its terms: `loss` = `noise` + `bias` + `sample_variance` + `seed_variance`, to rounding.

    `name` is that of the loss. Where `noise` is None it is not known, and is part of `bias`.

    >>> two, one = Estimate(2.0, 1.5, 2.5), Estimate(1.0, 0.5, 1.5)
    >>> print(Decomposition("squared loss", Estimate(4.0, 3.0, 5.0), None, two, one, one))
    squared loss 4 (3 to 5) = the sum of
      bias and noise           2 (1.5 to 2.5)
      variance of the sample   1 (0.5 to 1.5)
      variance of the seed     1 (0.5 to 1.5)
    """

    name: str
    loss: Estimate
    noise: float | None
    bias: Estimate
    sample_variance: Estimate
    seed_variance: Estimate

    @property
    def record(self) -> dict[str, object]:
        """The row of a table."""
        return {"kind": self.name, "noise": self.noise, **record_of(self)}

    def __str__(self) -> str:
        known = self.noise is not None
        lines = {"noise": f"{self.noise:.3g}"} if self.noise is not None else {}
        lines |= {"bias" if known else "bias and noise": self._text(self.bias),
                  "variance of the sample": self._text(self.sample_variance),
                  "variance of the seed": self._text(self.seed_variance)}
        return f"{self.name} {self.loss} = the sum of\n" + "\n".join(
            f"  {name:<24} {text}" for name, text in lines.items())

    def _text(self, term: Estimate) -> str:
        """The term and its interval; 0 where all is rounding of the loss."""
        return "0" if max(map(abs, term)) < ROUNDING * abs(self.loss.mean) else str(term)


@dataclass(frozen=True)
class ZeroOneDecomposition:
    """The 0-1 loss as Domingos (2000) divides it: `loss` = `bias` + `harmful_variance` - `helpful_variance`.

    `bias` is the share of rows whose main prediction is wrong, noise included; `harmful_variance` the share of
    predictions that differ from it on rows where it is right, `helpful_variance` that of predictions that are right
    where it is wrong.
    `variance` is the share of all predictions that differ from the main one, which is no term of that sum.
    `sample_disagreement` is how often two fits to different samples disagree, `seed_disagreement` two to the same.

    >>> one = Estimate(0.25, 0.125, 0.375)
    >>> print(ZeroOneDecomposition(one, one, one, one, one, one, one).record["loss"])
    0.25
    """

    loss: Estimate
    bias: Estimate
    harmful_variance: Estimate
    helpful_variance: Estimate
    variance: Estimate
    sample_disagreement: Estimate
    seed_disagreement: Estimate

    @property
    def record(self) -> dict[str, object]:
        """The row of a table."""
        return {"kind": "0-1 loss", **record_of(self)}

    def __str__(self) -> str:
        return (f"0-1 loss {self.loss}: bias + harmful variance - helpful variance (Domingos, 2000)\n"
                f"  bias                     {self.bias}: the main prediction is wrong\n"
                f"  harmful variance         {self.harmful_variance}: others than a right main prediction\n"
                f"  helpful variance         {self.helpful_variance}: right ones against a wrong main prediction\n"
                f"  two fits disagree        {self.sample_disagreement}; of one sample {self.seed_disagreement}")


def record_of(found: Decomposition | ZeroOneDecomposition) -> dict[str, object]:
    """The estimates of a decomposition, by name, with the ends of their intervals."""
    made: dict[str, object] = {}
    for field in fields(found):
        value = getattr(found, field.name)
        if isinstance(value, Estimate):
            made |= {field.name: value.mean, f"{field.name}_low": value.low, f"{field.name}_high": value.high}
    return made


def of_squares(rounds: list[np.ndarray], targets: np.ndarray, noise: float | None) -> Decomposition:
    """That of the squared loss, of predictions (parts, seeds, rows, ..., outputs) of each round."""
    return _of_terms("squared loss", [decompose_squared(each, targets, noise or 0.0) for each in rounds], noise)


def of_probabilities(rounds: list[np.ndarray], targets: np.ndarray, noise: float | None) -> Decomposition:
    """That of the cross-entropy, of logits (parts, seeds, rows, ..., classes) of each round."""
    return _of_terms("cross-entropy", [decompose_cross_entropy(each, targets, noise or 0.0) for each in rounds], noise)


def of_classes(rounds: list[np.ndarray], targets: np.ndarray) -> ZeroOneDecomposition:
    """That of the 0-1 loss, of classes (parts, seeds, rows, ...) of each round; main predictions are of all rounds."""
    whole = _zero_one(decompose_zero_one(np.concatenate(rounds), targets))
    others = [_zero_one(decompose_zero_one(np.concatenate(rounds[:i] + rounds[i + 1:]), targets))
              for i in range(len(rounds))]
    terms = [estimate(value, np.stack([other[i] for other in others])) for i, value in enumerate(whole)]
    pairs = [tuple(map(_by_row, disagreements(each))) for each in rounds]
    terms += [estimate_mean(np.stack(each)) for each in zip(*pairs, strict=True)]
    return ZeroOneDecomposition(*(Estimate(share, max(low, 0.0), min(high, 1.0)) for share, low, high in terms))


def _of_terms(name: str, terms: list[LossTerms], noise: float | None) -> Decomposition:
    def mean(which: str) -> Estimate:
        return estimate_mean(np.stack([_by_row(getattr(each, which)) for each in terms]))

    return Decomposition(name, mean("loss"), noise, mean("bias"), mean("sample_variance"), mean("seed_variance"))


def _zero_one(terms: ZeroOneTerms) -> list[np.ndarray]:
    effect = terms.variance_effect
    return [_by_row(x) for x in (terms.loss, terms.bias, np.maximum(effect, 0), np.maximum(-effect, 0),
                                 terms.variance)]


def _by_row(values: np.ndarray) -> np.ndarray:
    """The mean over all but the first axis."""
    return values.reshape(len(values), -1).mean(axis=1)
