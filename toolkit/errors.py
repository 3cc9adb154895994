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
    │   └── StoreError       the results under mlruns/
    └── TrackError           a track cannot do what a cell asks; the cell fails, the sweep goes on
        ├── NotFittedError
        ├── TooFewLabelsError
        ├── OneClassError
        └── MissingColumnError
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ConfigError",
    "DataError",
    "KnowledgeError",
    "MissingColumnError",
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
        self.problem = problem
        self.where = where
        super().__init__(f"{where}: {problem}" if where else problem)


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


class TrackError(ToolkitError):
    """A track cannot do what the cell asks; the cell is recorded as failed."""


class NotFittedError(TrackError):
    """``predict_proba`` was called before ``fit``."""


class TooFewLabelsError(TrackError):
    """Fewer labelled rows than the track's ``min_labels``."""


class OneClassError(TrackError):
    """All labels are the same, and the track needs both classes."""


class MissingColumnError(TrackError):
    """A column that the track was fitted on is not among the features."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None when nothing is near."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the tail of an error sentence: the nearest name, else all known names."""
    names = list(known)
    match = nearest(name, names)
    if match is not None:
        return f"; did you mean '{match}'?"
    return f"; known: {', '.join(names)}" if names else ""
