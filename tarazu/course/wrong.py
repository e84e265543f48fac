"""What a judge of an exercise says of a wrong answer."""

from __future__ import annotations

from collections.abc import Callable


class Wrong:
    """Why an answer is wrong: a case of the exercise's texts, and the values that its text names."""

    def __init__(self, case: str, **values: object) -> None:
        self.case, self.values = case, values


Judge = Callable[[object], Wrong | None]
