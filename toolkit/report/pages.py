"""A report before it is written: what its HTML and its Markdown share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

__all__ = ["Page", "Rendered"]


@dataclass(frozen=True)
class Rendered:
    """A section as the page holds it: anchor, heading, and its body or the reason why there is none."""

    name: str
    title: str
    body: Markup
    reason: str = ""


@dataclass(frozen=True)
class Page:
    """A report of any kind.

    Parameters
    ----------
    title : str
        The experiment and its task.
    description : str
        In the words of the experiment file; may be empty.
    sections : sequence of Rendered
        In the order of the report.
    facts : mapping of str to str
        Where and when it was made: ``command``, ``report_written``, ``git_commit``.
    answer : str
        One sentence: the verdict, or what a table says.
    answers : str
        What the first section tells, for the link that goes there from the top.
    """

    title: str
    description: str
    sections: Sequence[Rendered]
    facts: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""
    answers: str = "the verdict"

    @property
    def made(self) -> str:
        """When, and by which commit; empty where neither is known."""
        return " · ".join(self.facts[key] for key in ("report_written", "git_commit") if self.facts.get(key))

    @property
    def footer(self) -> str:
        """The last line."""
        by = f"Made by costcurves · {self.made}." if self.made else "Made by costcurves."
        return f"{by} The same numbers are in results.json beside this file."
