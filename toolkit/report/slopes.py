"""Reference lines of theory: what it takes to be twice as good.

An error that halves with k^p times the cost, k = 2, falls as ``cost^(-1/p)``: a straight line of slope -1/p
where both axes are logarithmic. Theory has k² for rows of data and at least k⁴ for computation; published
results of image classifiers were nearer to k⁹.

Source: Thompson, Greenewald, Lee and Manso, "The Computational Limits of Deep Learning", arXiv:2007.05558
(2020).
"""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.report.axes import Scale

__all__ = ["COMPUTE_SLOPES", "ROW_SLOPES", "Slope", "visible"]

LEAST_SHARE = 0.12
"""A line that would take up less than this share of the picture's width is not drawn."""


@dataclass(frozen=True)
class Slope:
    """An error that halves for 2^power times the cost.

    Parameters
    ----------
    power : int
    name : str
        Short, to be written on the line.
    says : str
        What half the error takes, in words.
    source : str
        Who says so.
    """

    power: int
    name: str
    says: str
    source: str

    def at(self, cost: float, anchor: tuple[float, float]) -> float:
        """Return the error at `cost` of the line through `anchor`, which is (cost, error)."""
        return float(anchor[1] * (cost / anchor[0]) ** (-1 / self.power))

    def reaches(self, error: float, anchor: tuple[float, float]) -> float:
        """Return the cost at which the line through `anchor` comes to `error`."""
        return float(anchor[0] * (anchor[1] / error) ** self.power)


ROW_SLOPES = (Slope(2, "k²: 4 × to halve", "4 × the rows (k²)", "as theory has it"),)
COMPUTE_SLOPES = (
    Slope(4, "k⁴: 16 × to halve", "16 × the computation (k⁴)", "as theory has it"),
    Slope(9, "k⁹: 512 × to halve", "512 × (k⁹)", "as image classifiers of 2012 to 2019 had it"),
)


def visible(
    slope: Slope, anchor: tuple[float, float], right: float, x: Scale, y: Scale
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the ends of a line within the picture, or None where it would leave it at once.

    Parameters
    ----------
    slope : Slope
    anchor : (float, float)
        Cost and error that the line goes through; it begins there.
    right : float
        Cost at which it ends at the latest.
    x, y : Scale
        The axes; a line is straight, and drawn, only where both are logarithmic.
    """
    if not (x.logarithmic and y.logarithmic and anchor[0] < right and y.low < anchor[1]):
        return None
    end = min(slope.reaches(y.low, anchor), right)
    if x.share(end) - x.share(anchor[0]) < LEAST_SHARE:
        return None
    return anchor, (end, slope.at(end, anchor))
