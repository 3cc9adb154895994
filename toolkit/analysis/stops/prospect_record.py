"""What the rungs of a track so far say of those that are left: numbers that no price of a machine changes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FormProspect", "Prospect"]


@dataclass(frozen=True)
class FormProspect:
    """One form of the curve, and what it says of the value of a decision.

    Parameters
    ----------
    form : str
    weight : float
        Its AICc weight.
    fitted : tuple of float
        On the rungs that were measured.
    expected, new_rung : tuple of tuples, (n_left, n_places)
        On the rungs that are left, from the worst place of the forecast's distribution to the best: the
        curve as it goes on from the largest measured rung, and a rung as it would be measured, the level of
        the curve as unsure as it is and its noise included.
    """

    form: str
    weight: float
    fitted: tuple[float, ...]
    expected: tuple[tuple[float, ...], ...]
    new_rung: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Prospect:
    """One track at one standpoint of its ladder.

    Parameters
    ----------
    track : str
    rungs, rows : tuple
        That were measured, lowest first, and their labelled rows.
    left, left_rows : tuple
        The same of those that are left.
    forms : tuple of FormProspect
        The forms that fit; empty when nothing may be forecast.
    refusal : str
        Why nothing may be forecast; empty where it may.
    """

    track: str
    rungs: tuple[int, ...]
    rows: tuple[float, ...]
    left: tuple[int, ...]
    left_rows: tuple[float, ...]
    forms: tuple[FormProspect, ...] = ()
    refusal: str = ""

    @property
    def reached(self) -> int:
        """The highest rung that was measured."""
        return self.rungs[-1]
