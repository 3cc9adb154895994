"""What the analysis of a table finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from toolkit.analysis.fits.curves import CurveFit
from toolkit.analysis.fits.loglog import LogLog
from toolkit.analysis.interval import Interval
from toolkit.analysis.published.reach import Held, Reach
from toolkit.published.values import Measure, Observation, Price

__all__ = [
    "Decomposition",
    "FamilyFit",
    "FixedFloor",
    "Forecast",
    "Published",
    "Reached",
    "Study",
    "WithYear",
]


class Reached(NamedTuple):
    """The cheapest that has reached a target: a result, or of a ladder the mean of a rung's rows.

    `name` is empty of a rung; a single row of a rung whose mean has not reached the target has its name.
    `rows` is of how many rows the error is the (geometric) mean.
    """

    name: str
    compute: float
    error: float
    rows: int = 1


class Forecast(NamedTuple):
    """What a target takes, by the line and by the curve with a floor; None where it cannot be told.

    `by` is which of the two is told first, ``line`` or ``curve``; `line_reach` and `curve_reach` are what may
    be said of each (`toolkit.analysis.published.reach`). `usd` and `kg_co2` follow from the line's compute;
    their intervals are its, for a price has none. `reached` is a fact of the table, whatever the fits say.
    """

    target: float
    by: str
    line_reach: Reach
    curve_reach: Reach | None
    line: Interval
    curve: Interval | None
    refusals: tuple[tuple[str, str], ...]
    usd: Interval | None
    kg_co2: Interval | None
    usd_curve: Interval | None
    kg_co2_curve: Interval | None
    reached: Reached | None = None

    @property
    def told(self) -> Interval:
        """The compute by the fit that is told first."""
        return self.curve if self.by == "curve" and self.curve is not None else self.line

    @property
    def reach(self) -> Reach:
        """What may be said of it."""
        found = self.curve_reach if self.by == "curve" else None
        return found or self.line_reach


class FixedFloor(NamedTuple):
    """How well a curve with this floor fits: sum of squares of log errors, and AICc."""

    floor: float
    exponent: float
    squares: float
    aicc: float


class WithYear(NamedTuple):
    """Two regressors: the exponent of compute at a given year, and the change of log error a year."""

    n: int
    exponent: Interval
    power: Interval
    k_half: Interval
    share_a_year: Interval
    r_squared: float


class FamilyFit(NamedTuple):
    """The line within one architecture family."""

    family: str
    n: int
    line: LogLog


@dataclass(frozen=True)
class Study:
    """One measure of compute.

    Parameters
    ----------
    measure : Measure
    points : tuple of Observation
        What the fits rest on, cheapest first; of a family only its best model.
    members : tuple of Observation
        Further rows of families: models that only the family's own fit uses, and repeats, of which `points`
        have the mean.
    n_rungs, n_seeds : int
        What the fits count: rows of equal compute are one rung with seeds where the table is a ladder;
        seeds are those of the rung that has fewest.
    is_ladder : bool
        Most computes stand in at least two rows.
    line : LogLog
        The classic regression.
    curve : CurveFit
        Power law with a floor.
    held : Held
        Both at the level of refusals.
    refusals : tuple of (str, str)
        What speaks against forecasting from the curve.
    floors : tuple of FixedFloor
        From none upwards.
    with_year : WithYear or None
        Over the results that have a year; `notes` say how many have none, or why there is no such fit.
    families : tuple of FamilyFit
    forecasts : tuple of Forecast
    notes : tuple of str
        What the fits do not use of the rows that have this measure, and why.
    """

    measure: Measure
    points: tuple[Observation, ...]
    members: tuple[Observation, ...]
    n_rungs: int
    n_seeds: int
    is_ladder: bool
    line: LogLog
    curve: CurveFit
    held: Held
    refusals: tuple[tuple[str, str], ...]
    floors: tuple[FixedFloor, ...]
    with_year: WithYear | None
    families: tuple[FamilyFit, ...]
    forecasts: tuple[Forecast, ...]
    notes: tuple[str, ...] = ()

    @property
    def may_fall(self) -> bool:
        """Whether the error may fall at all with compute."""
        return self.held.may_fall

    @property
    def clearly_falls(self) -> bool:
        """Whether it is shown to fall."""
        return self.held.clearly_falls

    @property
    def shows_floor(self) -> bool:
        """Whether the data exclude that there is no floor: the curve is told then, not the line."""
        return self.held.shows_floor

    def is_averaged(self, one: Observation) -> bool:
        """Whether a member is in the fit all the same: in the mean of a family's rows of equal compute."""
        kept = {(each.family, self.compute(each)) for each in self.points if each.family}
        return (one.family, self.compute(one)) in kept

    def compute(self, one: Observation) -> float:
        """Return an observation's compute by this measure."""
        return one.compute[self.measure.key]


class Decomposition(NamedTuple):
    """How two models' compute differs, as a product: hardware x processors x time.

    `error` is the ratio of their errors, `product` that of the three factors.
    """

    before: Observation
    after: Observation
    hardware: float
    processors: float
    time: float
    product: float
    error: float


@dataclass(frozen=True)
class Published:
    """All that a report on a table shows. Its sections read this and nothing else.

    Parameters
    ----------
    name, title, description : str
        Of the experiment; `title` says what the error is.
    error_title : str
        Of the axis.
    error_scale : str
        ``share`` or ``loss``.
    level : float
        Confidence level of all intervals.
    observations : tuple of Observation
        Every row of the table that has an error, fitted or not.
    studies : tuple of Study
    prices : tuple of Price
    priced : str
        The measure that prices hold for.
    decomposition : Decomposition or None
    sentences : tuple of str
        What a reader should take away.
    declared : mapping
        Claims, reference figures, criticism and sources as the file declares them; empty for a user's table.
    left_out : tuple of str
        Rows and measures that are in no fit, with the reason.
    doubts : tuple of str
        What of the table may be meant otherwise, with what to do then.
    environment : mapping of str to str
    """

    name: str
    title: str
    description: str
    error_title: str
    error_scale: str
    level: float
    observations: tuple[Observation, ...]
    studies: tuple[Study, ...]
    prices: tuple[Price, ...] = ()
    priced: str = ""
    decomposition: Decomposition | None = None
    sentences: tuple[str, ...] = ()
    declared: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
