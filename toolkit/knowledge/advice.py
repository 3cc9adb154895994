"""What to write instead: the usual ways to miss the language of conditions, each with a sentence."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

__all__ = ["advice"]

_HABITS: tuple[tuple[str, str], ...] = (
    (r"[“”„«»‘’‚]", "write straight quotes: \"text\" or 'text'"),
    (r"[–—−]", "write a plain minus sign: -"),
    (r"≥", "write >="),
    (r"≤", "write <="),
    (r"≠|<>|!==|=/=", "write !="),
    (r"=>", "write >= for 'at least'"),
    (r"=<", "write <= for 'at most'"),
    (r"&", "write: and"),
    (r"\|", "write: or"),
    (r"∧|∨|¬", "write: and, or, not"),
    (r"[<>=!]\s+=", "write <=, >=, == and != without a space"),
    (r"!(?!=)|~", "write: not"),
    (r"===|(?<![=<>!:])=(?!=)", "write == for 'is equal to'"),
    (r"\b(?:AND|OR|NOT|IN|And|Or|Not|In)\b", "write in small letters: and, or, not, in"),
    (r"(?i:\bbetween\b)", "write a range as 1 <= column <= 100"),
    (
        r"\b\d{4}-\d\d?-\d\d?\b|\b\d\d?[./]\d\d?[./]\d{4}\b",
        "dates cannot be compared, numbers of days can",
    ),
    (r"\d\s*%", "write a percentage as a number: 0.10 for 10 %"),
    (r"^[^\[({]*\d,\d", "write numbers with a point and no comma: 0.3, 1000"),
    (r"\d\s+\d", "write numbers without spaces"),
    (r"[$€£¥]", "write numbers without units and currencies"),
    (r"(?<![\w.])0\d", "write whole numbers without leading zeros"),
    (r"(?i:\b(?:if|then|when)\b)", "write the condition only, without if, when and then"),
    (r"(?i:\b(?:contains|like)\b)", 'compare with whole values: column == "..." or column in ["...", "..."]'),
    (r"(?:\b(?:and|or|not|in)|[<>=])\s*$", "it breaks off; write what comes next"),
)
"""What is found outside quotes -> what to do; the first that is found is the one that is told."""

_READ = [(re.compile(pattern), told) for pattern, told in _HABITS]

_WORD = re.compile(r"[^\W\d]\w*")

_OPERATORS = ("and", "or", "not", "in", "is")


def _stands_for_a_column(word: str, outside: str) -> bool:
    return re.search(rf"\b{word}\s*[<>=!]|[<>=]\s*{word}\b", outside) is not None


def advice(outside: str, columns: Iterable[str] = ()) -> str:
    """Return the tail of an error sentence for a condition that cannot be read; empty when none fits.

    Parameters
    ----------
    outside : str
        The condition, or the part that is wrong, without what stands in quotes and backquotes.
    columns : iterable of str
        Names that may need backquotes: those that mean something to Python.
    """
    words = {word for word in columns if keyword.iskeyword(word)}
    for word in _WORD.findall(outside):
        if word in words and (word not in _OPERATORS or _stands_for_a_column(word, outside)):
            return f"; put the column's name in backquotes: `{word}`"
    return next((f"; {told}" for pattern, told in _READ if pattern.search(outside)), "")
