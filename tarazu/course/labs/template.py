"""Templates: what a student begins with, made from the solution by taking the bodies of its functions away."""

from __future__ import annotations

import ast
from pathlib import Path

from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import did_you_mean
from tarazu.course.language import LANGUAGES

FILES = Path(__file__).parent / "files"
LABS = ("iris", "mnist")
BODY = "    return None  # TODO"


def solution(lab: str, language: str = "en") -> str:
    """The text of a lab's solution. ArgumentError for a lab or a language that is not there.

    >>> solution("iris").splitlines()[0]
    '\"\"\"Lab: iris. Neural networks on a small table: train them, see overfitting, avoid it.'
    """
    if lab not in LABS:
        raise ArgumentError(f"there is no lab {lab!r}", expected=f"one of {', '.join(LABS)}",
                            fix=did_you_mean(lab, list(LABS)))
    if language not in LANGUAGES:
        raise ArgumentError(f"labs have no language {language!r}", expected=f"one of {', '.join(LANGUAGES)}",
                            fix=did_you_mean(language, list(LANGUAGES)))
    return (FILES / language / f"{lab}.py").read_text(encoding="utf-8")


def template(lab: str, language: str = "en") -> str:
    """The text of the file that a student fills in: functions with docstrings, whose bodies are to be written.

    ArgumentError for a lab or a language that is not there.

    >>> "return None  # TODO" in template("iris")
    True
    """
    text = solution(lab, language)
    lines = text.splitlines()
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    for function in reversed(functions):  # from the end, so that the numbers of the lines before stay right
        docstring = function.body[0]
        assert docstring.end_lineno is not None and function.end_lineno is not None
        lines[docstring.end_lineno:function.end_lineno] = [BODY]
    return "\n".join(lines) + "\n"
