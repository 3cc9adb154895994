"""What a section of the report is: one file, one class, one fragment of HTML."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results

__all__ = ["NotApplicable", "Section"]


class NotApplicable(Exception):  # noqa: N818 (not an error: the section says why it is empty)
    """A section has nothing to show; the report shows the reason as one quiet line.

    Parameters
    ----------
    reason : str
        One sentence for the reader.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Section(ABC):
    """One section. The file's name below ``report/sections`` is its name and its anchor.

    `render` reads `Results` and nothing else: it opens no file, calls no network and trains nothing.
    """

    order: ClassVar[int]
    """Place in the report, low first; equal orders stand by name."""

    title: ClassVar[str]
    """Heading."""

    @abstractmethod
    def render(self, results: Results) -> Markup:
        """Return the section's HTML, without its heading.

        Parameters
        ----------
        results : Results

        Returns
        -------
        Markup
            Built with `toolkit.report.elements`, which escapes names and rules.

        Raises
        ------
        NotApplicable
            There is nothing to show.
        """
