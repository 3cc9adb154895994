"""Errors a user may see, and the sentence they are told in.

Every message says where, what, what was got and what to do::

    experiments/retail.yaml:12: unknown key 'lader'; did you mean 'ladder'?

The tree::

    ToolkitError
    ├── UserError            the user can mend it; exit code 2
    │   ├── ConfigError      an experiment file
    │   ├── ParameterError   the parameters of a plug-in (turned into ConfigError with a line)
    │   ├── KnowledgeError   a knowledge base
    │   │   └── TooComplexError  a condition that cannot be analysed within the budget
    │   ├── DataError        data that is missing, broken or unfit
    │   ├── StoreError       the results under mlruns/
    │   └── ModelError       a saved track that cannot be written or read
    └── TrackError           a track cannot do what a cell asks; the cell fails, the sweep goes on
        ├── DivergedError
        ├── NotFittedError
        ├── TooFewLabelsError
        ├── OneClassError
        ├── MissingColumnError
        └── NotExplainableError
"""

from __future__ import annotations

import difflib
import itertools
import unicodedata
from collections.abc import Iterable

__all__ = [
    "ConfigError",
    "DataError",
    "DivergedError",
    "KnowledgeError",
    "MissingColumnError",
    "ModelError",
    "NotExplainableError",
    "NotFittedError",
    "OneClassError",
    "ParameterError",
    "StoreError",
    "TooComplexError",
    "TooFewLabelsError",
    "ToolkitError",
    "TrackError",
    "UserError",
    "did_you_mean",
    "nearest",
    "shorten",
]


class ToolkitError(Exception):
    """Base of all errors that this package raises on purpose."""


class UserError(ToolkitError):
    """A mistake or obstacle that the user can mend; the command ends with exit code 2.

    Parameters
    ----------
    problem : str
        What is wrong, what was got and what to do, in one sentence.
    where : str, optional
        A place to look: ``file``, ``file:line`` or ``file:line:column``.
    """

    def __init__(self, problem: str, *, where: str | None = None) -> None:
        # What a message quotes must not drive the terminal, nor hide.
        self.problem = _visible(problem)
        self.where = where if where is None else _visible(where)
        super().__init__(f"{self.where}: {self.problem}" if where else self.problem)


class ConfigError(UserError):
    """The experiment file cannot be read or says something that cannot be done."""


class ParameterError(UserError):
    """A plug-in's parameters are wrong.

    Parameters
    ----------
    problem : str
        The sentence.
    path : tuple of str or int
        The keys that lead to the parameter, below the plug-in's own entry.
    """

    def __init__(self, problem: str, *, path: tuple[str | int, ...] = ()) -> None:
        self.path = path
        super().__init__(problem)


class KnowledgeError(UserError):
    """A knowledge base cannot be read, is unsafe, or does not fit the task's columns."""


class TooComplexError(KnowledgeError):
    """An exact analysis would need more boxes or steps than its budget allows."""


class DataError(UserError):
    """Data is missing, broken or does not fit the task."""


class StoreError(UserError):
    """The results under ``mlruns/`` cannot be read or written."""


class ModelError(UserError):
    """A fitted track cannot be saved, or what was saved is damaged, foreign or of another version."""


class TrackError(ToolkitError):
    """A track cannot do what the cell asks; the cell is recorded as failed."""


class NotFittedError(TrackError):
    """``predict_proba`` was called before ``fit``."""


class TooFewLabelsError(TrackError):
    """Fewer labelled rows than the track's ``min_labels``."""


class OneClassError(TrackError):
    """All labels are the same, and the track needs both classes."""


class DivergedError(TrackError):
    """Training has ended in weights, or in predictions, that are not finite."""


class MissingColumnError(TrackError):
    """A column that the track was fitted on is not among the features."""


class NotExplainableError(TrackError):
    """An explanation was asked of a track that gives none."""


def shorten(text: str, limit: int = 60) -> str:
    """Return a text of at most `limit` characters, with … for what was left out of its middle."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 3
    return f"{text[: limit - 1 - tail]}…{text[-tail:]}"


def _visible(text: str) -> str:
    """Return a text with escapes for all that cannot be seen, line breaks excepted."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text
    )


_LONGEST_NAME = 80
_MOST_NAMES = 1_000
_SHOWN_NAMES = 20


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None when nothing is near.

    Comparing takes the square of the length, so names of more than 80 characters are like nothing, and
    of more than 1,000 names the first are compared.
    """
    if len(name) > _LONGEST_NAME:
        return None
    short = (each for each in known if len(each) <= _LONGEST_NAME)
    matches = difflib.get_close_matches(name, itertools.islice(short, _MOST_NAMES), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the tail of an error sentence: the nearest name, else the known names, 20 at most."""
    names = list(known)
    match = nearest(name, names)
    if match is not None:
        odd = next((each for each in name if not each.isascii() and each not in match), None)
        title = "" if odd is None else unicodedata.name(odd, "no name").lower()
        return f"; did you mean '{match}'?" + (f" ('{odd}' is U+{ord(odd):04X}, {title})" if odd else "")
    if not names:
        return ""
    shown = ", ".join(shorten(each) for each in names[:_SHOWN_NAMES])
    more = f" and {len(names) - _SHOWN_NAMES:,} more" if len(names) > _SHOWN_NAMES else ""
    return f"; known: {shown}{more}"
