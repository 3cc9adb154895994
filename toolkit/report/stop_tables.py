"""Tables of tracks that stopped climbing, and of what stopping early would have done."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from toolkit.analysis.forecast_record import EarlyStop
from toolkit.analysis.results import Results
from toolkit.analysis.stop_words import chance, told_replay
from toolkit.report import elements, formats
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names

__all__ = ["replayed", "stopped"]

_REASONS = {
    "does_not_pay": "no further rung pays for itself",
    "behind_leader": "no further rung catches the leader",
}


def stopped(results: Results) -> Markup:
    """Return what the sweep left out; nothing where no track stopped early."""
    if not results.stops:
        return Markup("")
    return elements.join(
        Markup("<h3>{}</h3>").format("Tracks that stopped climbing"),
        elements.paragraph(
            "This sweep ran with --stop-early, which looks at validation rows only. What was saved is a "
            "forecast by the growth of the cells that ran. A run without the option trains what was skipped."
        ),
        _table("What was skipped, what that saved, and what it risks", results.stops, results),
    )


def replayed(results: Results) -> Markup:
    """Return what ``--stop-early`` would have done on the cells that ran; nothing where it asks no track."""
    replay = results.replay
    if not replay.asked:
        return Markup("")
    parts = [
        Markup("<h3>{}</h3>").format("Would stopping early have been right?"),
        elements.paragraph(formats.sentence(told_replay(replay))),
    ]
    if replay.stops:
        if replay.forgone_per_year is not None:
            forgone = formats.interval(replay.forgone_per_year, formats.in_money(results.verdict.currency))
            parts.append(
                elements.paragraph(
                    f"Net value a year that the verdict without them would leave, on test rows: {forgone}."
                )
            )
        parts.append(
            _table("What --stop-early would have skipped; savings as measured", replay.stops, results)
        )
    known = track_names(results)
    if replay.climbed_on:
        parts.append(
            elements.table(
                "Tracks that would have climbed to the end",
                [Column("Track"), Column("Why, when last asked")],
                [[label(track, known), formats.sentence(why)] for track, why in replay.climbed_on.items()],
            )
        )
    return elements.join(*parts)


def _table(caption: str, stops: Sequence[EarlyStop], results: Results) -> Markup:
    known = track_names(results)
    return elements.table(
        caption,
        [
            Column("Track"),
            Column("Last rung", numeric=True),
            Column("Cells skipped", numeric=True),
            Column("Why"),
            Column("Probability of the opposite", numeric=True),
            Column("CPU-seconds saved", numeric=True),
            Column("Money saved", numeric=True),
            Column("kg CO2e saved", numeric=True, note="modelled"),
            Column("Leader changes", numeric=True, note="probability"),
            Column("Net value forgone", numeric=True, note="expected, a year"),
        ],
        [
            [
                label(stop.track, known),
                str(stop.rung),
                formats.count(stop.n_cells),
                f"{_REASONS[stop.reason]}{'' if stop.leader == stop.track else f' ({stop.leader})'}",
                chance(stop.probability),
                elements.estimate(stop.saved.cpu_seconds),
                elements.estimate(stop.saved.money, formats.in_money(stop.currency)),
                elements.estimate(stop.saved.kg_co2e),
                chance(stop.probability_leader_changes),
                formats.money(stop.forgone_per_year, stop.currency),
            ]
            for stop in stops
        ],
    )
