"""What nothing else beats on both cost and error, how sure that is, and what each track adds to it."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Front, Results
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.front_figures import LIKELY, UNLIKELY, front_figure
from toolkit.report.looks import label, track_names
from toolkit.report.rungs import effort
from toolkit.report.score_names import score_name

__all__ = ["FrontSection"]


class FrontSection(Section):
    """One figure and two tables an error."""

    order: ClassVar[int] = 33
    title: ClassVar[str] = "What nothing else beats"

    def render(self, results: Results) -> Markup:
        """Return the fronts; not applicable without rungs of known cost and error."""
        if not results.fronts:
            raise NotApplicable(
                "No finished cell has both a measured training cost and evidence of its error."
            )
        return elements.join(
            elements.paragraph(
                "A rung is on the front when no other is both cheaper to train (search and fit) and better. "
                "Its probability counts test clusters, seeds and the spread of costs, all rungs at once.",
                quiet=True,
            ),
            *(
                part
                for front in results.fronts
                for part in (_figure(results, front), _volumes(results, front))
            ),
        )


def _figure(results: Results, front: Front) -> Markup:
    known = track_names(results)
    name = score_name(front.error)
    efforts = {(one.track, one.rung): effort(one) for one in results.summaries}
    likely = [point.track for point in front.points if point.probability >= LIKELY]
    told = ", ".join(f"{track} {likely.count(track)}" for track in known if track in likely)
    table = elements.table(
        f"Probability of being on the front of {name} and training CPU-seconds, the cheapest first",
        [
            Column("Track"),
            Column("Rung", numeric=True),
            Column("Effort", note="training rows or rules"),
            Column("Training CPU time", numeric=True),
            Column("On the front", numeric=True, note="probability"),
        ],
        [
            [
                label(point.track, known),
                str(point.rung),
                efforts.get((point.track, point.rung), ""),
                formats.seconds(point.cpu_seconds),
                formats.probability(point.probability),
            ]
            for point in sorted(front.points, key=lambda point: point.cpu_seconds)
        ],
    )
    sure, seldom = (formats.probability(one) for one in (LIKELY, UNLIKELY))
    return figures.embed(
        front_figure(results, front),
        name=f"front-{front.error}",
        title=f"The front of {name} and training CPU-seconds",
        description=f"Filled markers are on the front with a probability of at least {sure}, open ones "
        f"with {seldom} to {sure}, small dots with less; the line is the front of the estimates. "
        f"Rungs that are likely on it, by track: {told or 'none'}.",
        table=table,
    )


def _volumes(results: Results, front: Front) -> Markup:
    known = track_names(results)
    name = score_name(front.error)
    return elements.table(
        f"Hypervolume: {name} below that of {front.reference_track} "
        f"({formats.number(front.reference_error, 4)}), times powers of ten of training CPU-seconds below "
        f"{formats.plain(front.reference_cpu_seconds)}",
        [
            Column("Track"),
            Column("All its rungs", numeric=True, note="95 % interval"),
            Column("Lost without it", numeric=True, note="95 % interval"),
            Column("Its share of all", numeric=True, note="lost without it"),
        ],
        [
            [
                label(one.track, known) if one.track else "all together",
                elements.estimate(one.volume, _short),
                "" if one.exclusive is None else elements.estimate(one.exclusive, _short),
                "" if one.share is None else elements.estimate(one.share, _share),
            ]
            for one in front.volumes
        ],
    )


def _short(value: float, digits: int = 3) -> str:
    return formats.number(value, min(digits, 3))


def _share(value: float, digits: int = 3) -> str:
    return formats.ratio(value, min(digits, 3))
