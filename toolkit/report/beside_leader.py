"""What every track earns less than the leader, with intervals in which shared assumptions cancel."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from toolkit.analysis.results import Interval, Verdict
from toolkit.report import elements, figures, formats
from toolkit.report.elements import Column
from toolkit.report.looks import Look, label

__all__ = ["beside_leader"]


def beside_leader(verdict: Verdict, known: Mapping[str, Look]) -> Markup:
    """Return the figure with its table; nothing in results that do not tell.

    Parameters
    ----------
    verdict : Verdict
    known : mapping of str to Look
        Of every track.
    """
    gaps = {
        one.track: Interval(-behind.estimate, -behind.high, -behind.low)
        for one in sorted(verdict.tracks, key=lambda one: -one.net_value_per_year.estimate)
        if (behind := one.behind_leader_per_year) is not None
    }
    if not gaps:
        return Markup("")
    margin, show = verdict.margin or 0.0, formats.in_money(verdict.currency)
    unit, scale = formats.money_scale(end for gap in gaps.values() for end in (gap.low, gap.high))
    rows = [
        figures.Bar(
            name=track,
            value=gap,
            text=show(gap.estimate),
            facts=(
                track,
                f"beside {verdict.best}, a year: {formats.interval(gap, show)}",
                _told(gap, margin),
            ),
            look=known[track],
        )
        for track, gap in gaps.items()
    ]
    axis = " ".join(part for part in (scale, verdict.currency, "a year") if part)
    told = "; ".join(f"{row.name} {row.text} ({_told(row.value, margin)})" for row in rows)
    return figures.embed(
        figures.whiskers(
            rows, f"Net value less that of {verdict.best} ({axis})<br>left of 0: earns less", margin, unit
        ),
        name="beside-leader",
        title=f"Net value a year beside that of {verdict.best}",
        description="Points are expected differences, whiskers 95 % intervals, in which all that both tracks "
        f"rest on cancels. The band is the margin of ±{show(margin)} that counts as a tie. "
        f"Differences: {told}.",
        table=elements.table(
            f"Net value a year of every other track less that of {verdict.best}",
            [Column("Track"), Column("Difference", numeric=True, note="95 % interval"), Column("Told")],
            [
                [label(row.name, known), elements.estimate(row.value, show), _told(row.value, margin)]
                for row in rows
            ],
        ),
    )


def _told(gap: Interval, margin: float) -> str:
    """Return what an interval tells of a track beside the leader."""
    if gap.high < -margin:
        return "earns less"
    if gap.low > margin:
        return "earns more"
    return "a tie" if -margin <= gap.low and gap.high <= margin else "cannot tell"
