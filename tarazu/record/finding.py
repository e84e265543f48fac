"""Findings about a run, each with its evidence, and the verdict that they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tarazu.base.errors import ArgumentError

if TYPE_CHECKING:
    from tarazu.picture.picture import Picture

SEVERITIES = ("info", "warning", "problem")
VERDICTS = ("underfitting", "about right", "overfitting", "undecided")


@dataclass(frozen=True)
class Finding:
    """One statement of the judge about a run, with the numbers that it rests on.

    `evidence` is one sentence with its numbers; `numbers` are the same numbers by measurement name; `threshold` is the
    bound that was crossed, in the unit of the evidence, or None; `advice` says what to try. Raises ArgumentError for a
    severity that is not one of SEVERITIES.

    >>> Finding("gap", "warning", "the gap is 0.2", {"gap": 0.2}, 0.1, ("more data",)).advice
    ('more data',)
    """

    name: str
    severity: str
    evidence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    threshold: float | None = None
    advice: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_one_of("severity", self.severity, SEVERITIES)


@dataclass(frozen=True)
class Verdict:
    """What a run's findings add up to: `name` is one of VERDICTS, `headline` one line; `str` gives the whole text.

    Raises ArgumentError for a name that is not one of VERDICTS.

    >>> print(Verdict("undecided", "undecided: no validation data", (
    ...     Finding("no validation", "info", "all samples were trained on", advice=("set some aside",)),)))
    undecided: no validation data
      all samples were trained on
      what to try: set some aside
    """

    name: str
    headline: str
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        _require_one_of("name", self.name, VERDICTS)

    @property
    def advice(self) -> tuple[str, ...]:
        """What to try, from all findings, each once and in their order.

        >>> Verdict("overfitting", "...", (Finding("gap", "warning", "...", advice=("more data",)),)).advice
        ('more data',)
        """
        return tuple(dict.fromkeys(line for finding in self.findings for line in finding.advice))

    def __str__(self) -> str:
        evidence = [f"  {finding.evidence}" for finding in self.findings]
        advice = [f"  what to try: {line}" for line in self.advice]
        return "\n".join([self.headline, *evidence, *advice])

    def plot(self) -> Picture:
        """A pair of scales that leans to bias or to variance, with the evidence and what to try beside it.

        >>> Verdict("undecided", "undecided: no validation data").plot()
        <Picture: undecided: no validation data>
        """
        from tarazu.record.charts import verdict_picture

        return verdict_picture(self.name, self.headline, [finding.evidence for finding in self.findings], self.advice)

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def to_json(self) -> dict[str, Any]:
        """The verdict as dicts, lists, text and numbers.

        >>> Verdict("about right", "about right: no gap").to_json()
        {'name': 'about right', 'headline': 'about right: no gap', 'findings': []}
        """
        findings = [{**asdict(finding), "advice": list(finding.advice)} for finding in self.findings]
        return {"name": self.name, "headline": self.headline, "findings": findings}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_json` gave; KeyError, TypeError or ArgumentError where `data` is something else.

        >>> Verdict.from_json({"name": "undecided", "headline": "undecided", "findings": []}).name
        'undecided'
        """
        findings = tuple(Finding(**{**finding, "advice": tuple(finding["advice"])}) for finding in data["findings"])
        return cls(data["name"], data["headline"], findings)


def _require_one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ArgumentError(f"{what} is {value!r}", expected=f"one of {', '.join(allowed)}", fix=f"pass a known {what}")
