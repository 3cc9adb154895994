"""Tables of tracks that stopped climbing, and of what stopping early would have done."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from toolkit.analysis.forecast_record import EarlyStop
from toolkit.analysis.results import Interval, Results
from toolkit.analysis.stops.words import chance, told_contradiction, told_replay, told_stop
from toolkit.report import elements, formats
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names

__all__ = ["replayed", "stopped"]


_UNKNOWN = "not known"
_KINDS = (
    "Whether a further rung pays is asked of the curve, without the luck of single rungs, which no climbing "
    "buys. Against another track, rungs count as they would be measured, noise included, and so does how "
    "unsure the validation block is of both."
)


def stopped(results: Results) -> Markup:
    """Return what the sweep left out; nothing where no track stopped early."""
    if not results.stops:
        return Markup("")
    return elements.join(
        Markup("<h3>{}</h3>").format("Tracks that stopped climbing"),
        elements.paragraph(
            "This sweep ran with --stop-early, which looks at validation rows only: the probabilities and "
            "the value forgone are of those, and the verdict is of test rows. What was saved is a "
            "forecast by the growth of the cells that ran; money is at the prices of this report. A run "
            "without the option trains what was skipped."
        ),
        elements.items(formats.sentence(told_stop(stop)) for stop in results.stops),
        _tables("What was skipped, and what that risks", "What it saved", results.stops, results),
        *(
            elements.paragraph(formats.sentence(f"{stop.track}: {against}"))
            for stop in results.stops
            if (against := told_contradiction(stop, results.verdict))
        ),
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
            left = replay.forgone_per_year
            told = formats.interval(left, formats.in_money(results.verdict.currency))
            parts.append(
                elements.paragraph(
                    "The verdict would have rested on the same rung."
                    if left.low == left.high == 0
                    else f"Net value a year that it would have left, on test rows: {told}."
                )
            )
        parts.append(
            _tables(
                "What --stop-early would have skipped, and risked",
                "What it would have saved, as measured",
                replay.stops,
                results,
            )
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


def _odds(stop: EarlyStop) -> str:
    """Return what speaks for climbing on, and of which kind it is."""
    again = stop.asked_again
    if stop.probability is None or (again is not None and again.reason is None):
        return "would climb on" if again is not None and again.stops is False else _UNKNOWN
    reason = stop.reason if again is None else again.reason
    what = (
        "pays, by the curve"
        if reason == "does_not_pay"
        else f"comes within the margin of {stop.held_against}, as measured"
    )
    return f"{what}: {chance(stop.probability)}"


def _overtakes(stop: EarlyStop) -> str:
    if stop.probability_leader_changes is not None:
        return f"{stop.held_against}: {chance(stop.probability_leader_changes)}"
    return "leads itself" if stop.held_against == stop.track else _UNKNOWN


def _amount(value: Interval | None, show: formats.Show = formats.number) -> Markup | str:
    """Return an amount; what was measured has no interval."""
    if value is not None and value.low == value.high:
        return show(value.estimate, 3)
    return elements.estimate(value, show)


def _tables(skipped: str, saved: str, stops: Sequence[EarlyStop], results: Results) -> Markup:
    """Return why tracks stop and what that risks, and what it saves: one table would be too wide."""
    known = track_names(results)
    risked = elements.table(
        skipped,
        [
            Column("Track"),
            Column("Last rung", numeric=True),
            Column("Cells skipped", numeric=True),
            Column("Speaks for a further rung", numeric=True, note="probability"),
            Column("Would pass the leader", numeric=True, note="probability, as measured"),
            Column("Value forgone", numeric=True, note="expected, a year"),
        ],
        [
            [
                label(stop.track, known),
                str(stop.rung),
                formats.count(stop.n_cells - stop.n_trained_since),
                _odds(stop),
                _overtakes(stop),
                _money(stop.forgone_per_year, stop.currency),
            ]
            for stop in stops
        ],
    )
    spared = elements.table(
        saved,
        [
            Column("Track"),
            Column("CPU-seconds", numeric=True),
            Column("Money for computing", numeric=True),
            Column("Money for labels", numeric=True, note="declared"),
            Column("kg CO2e", numeric=True, note="modelled"),
        ],
        [
            [
                label(stop.track, known),
                _amount(stop.saved.cpu_seconds),
                _amount(stop.saved.money, formats.in_money(stop.currency)),
                _labels(stop),
                _amount(stop.saved.kg_co2e),
            ]
            for stop in stops
        ],
        hide_empty=True,
    )
    return elements.join(risked, elements.paragraph(_KINDS, quiet=True), spared, *_shared(stops))


def _shared(stops: Sequence[EarlyStop]) -> list[Markup]:
    if not any(stop.labels_saved for stop in stops):
        return []
    words = (
        "Labels are those of the highest skipped rung beyond what any seed of the same track was trained on, "
        "bought once. Tracks share labels: what another track needs all the same is not saved, and the lines "
        "are not to be added up."
    )
    return [elements.paragraph(words, quiet=True)]


def _money(value: float | None, currency: str) -> str:
    return _UNKNOWN if value is None else formats.money(value, currency)


def _labels(stop: EarlyStop) -> Markup | str:
    """Return the money of labels that were not bought; empty where a label has no price."""
    labels = stop.labels_saved
    return "" if labels is None else _amount(labels.money, formats.in_money(stop.currency))
