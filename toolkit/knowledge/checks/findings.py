"""What an analysis of a knowledge base found: one sentence each, with an example row where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["RuleFinding", "Severity", "gravest_first"]

Severity = Literal["info", "warning", "error"]

_GRAVITY: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class RuleFinding:
    """One thing that the author of a knowledge base should know.

    Parameters
    ----------
    code : str
        Stable name of the check, such as ``never-fires``.
    severity : {"info", "warning", "error"}
        An error is a mistake for sure, a warning most likely one, an info worth knowing.
    sentence : str
        What was found, with rules and numbers named.
    rules : tuple of str
        Ids of the rules it is about.
    witness : mapping of str to object, optional
        A row that shows it, as an expert would write it; columns left out may have any value, or none.
    where : str, optional
        ``file:line:column``.
    """

    code: str
    severity: Severity
    sentence: str
    rules: tuple[str, ...] = ()
    witness: Mapping[str, object] | None = None
    where: str | None = None


def gravest_first(findings: Iterable[RuleFinding]) -> tuple[RuleFinding, ...]:
    """Return errors, then warnings, then the rest, each in the order found."""
    return tuple(sorted(findings, key=lambda finding: _GRAVITY[finding.severity]))
