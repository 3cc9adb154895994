"""What if: sliders that compute the verdict again in the page, and the map of who leads where."""

from __future__ import annotations

import json
import math
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.analysis.verdict import DEEP
from toolkit.analysis.whatif.levers import HIT, VOLUME
from toolkit.analysis.whatif.sheet import Sheet
from toolkit.analysis.whatif.words import amount
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column, fragment
from toolkit.report.kinds import excluded_as
from toolkit.report.looks import label, looks
from toolkit.report.map_figures import counted, map_figure
from toolkit.report.packing import packed
from toolkit.report.region_table import region_table
from toolkit.report.whatif_data import Slider, model_of, sliders_of

__all__ = ["WhatIfSection"]


class WhatIfSection(Section):
    """Sliders, the tracks under what they say, and the map."""

    order: ClassVar[int] = 15
    title: ClassVar[str] = "What if"

    def render(self, results: Results) -> Markup:
        """Return the section; not applicable with fewer than two tracks to compare."""
        sheet = results.sheet
        if sheet is None:
            raise NotApplicable(
                "Fewer than two tracks can be valued, so nothing can be held against another."
            )
        tracks = list(dict.fromkeys(track for track, _ in sheet.book.keys))
        sliders = sliders_of(sheet)
        out = excluded_as(DEEP, results)
        board = fragment(
            "whatif",
            sliders=[_slider(one) for one in sliders],
            model=packed(json.dumps(model_of(sheet, out), separators=(",", ":"), allow_nan=False)),
            bars=_bars(results, sheet, tracks),
            tracks=[(track, label(track, tracks)) for track in tracks],
        )
        return elements.join(board, _map(results, tracks, sliders))


def _slider(one: Slider) -> dict[str, object]:
    span = "" if one.now.low == one.now.high else f" [{amount(one.now.low)}, {amount(one.now.high)}]"
    return {
        "key": one.key,
        "title": one.title,
        "unit": one.unit,
        "likely": _exact(one.now.likely),
        "declared": f"{amount(one.now.likely)}{span}",
        "low": _exact(one.low),
        "step": _exact(10.0 ** (math.floor(math.log10(one.now.likely or 100.0)) - 1)),
        "high": _exact(one.high),
    }


def _exact(value: float) -> str:
    """Return a number as a field holds it, to the last bit."""
    return repr(int(value)) if float(value).is_integer() else repr(float(value))


def _bars(results: Results, sheet: Sheet, tracks: list[str]) -> Markup:
    """Return the net values as bars, which the sliders draw anew."""
    entries = {entry.track: entry for entry in results.verdict.tracks if not entry.excluded}
    known, show = looks(tracks), formats.in_money(sheet.inputs.economics.currency)
    rows = [
        figures.Bar(
            name=track,
            value=entries[track].net_value_per_year,
            text=show(entries[track].net_value_per_year.estimate),
            facts=(track,),
            look=known[track],
        )
        for track in tracks
    ]
    figure = figures.bars(rows, f"Net value a year ({sheet.inputs.economics.currency})")
    figure.data[0].update(hoverinfo="skip", hovertext=None)
    return figures.embed(
        figure,
        name="whatif-net-value",
        title="Net value a year, by the sliders",
        description="Bars are expected values, whiskers 95 % intervals; the table above has the numbers.",
        table=elements.table(
            "Net value a year as declared",
            [Column("Track"), Column("Net value a year", numeric=True, note="95 % interval")],
            [[label(row.name, known), elements.estimate(row.value, show)] for row in rows],
        ),
    )


def _map(results: Results, tracks: list[str], sliders: list[Slider]) -> Markup:
    found = results.sensitivity
    region = None if found is None else found.region
    if region is None:
        return elements.paragraph(
            "There is no map: it needs decisions to be made, and a value above zero of a hit.", quiet=True
        )
    now = {one.key: one.now.likely for one in sliders}
    currency = results.verdict.currency
    return figures.embed(
        map_figure(region, tracks, (now[VOLUME], now[HIT]), currency),
        name="whatif-map",
        title="Which track to use, by volume and by the value of a hit",
        description="The track that leads at the star is held on to wherever no other is ahead by more than "
        "the margin. Full colour: ahead of all others by more than the margin. Faint: others are within it. "
        f"The star is where the sliders stand. As declared, of the map: {counted(region, tracks)}.",
        table=region_table(region, currency),
    )
