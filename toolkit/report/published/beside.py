"""Sections that put the table beside what others say: claims, other data, criticism, two models apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.claims import Judged, judge
from toolkit.analysis.published.values import Decomposition, Published, Study
from toolkit.published.values import Observation
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable
from toolkit.report.elements import Column
from toolkit.report.published import words
from toolkit.report.published.sentences import main_study

__all__ = ["claims", "criticism", "decomposition"]

_WHERE = {
    "inside": ("inside our interval", "plain"),
    "below": ("below our interval", "open"),
    "above": ("above our interval", "open"),
    "not told": ("not told by the table", "plain"),
}


def claims(published: Published) -> Markup:
    """Return claims beside the table's own figures, and the same regressions on other data.

    Raises
    ------
    NotApplicable
        None are declared.
    """
    study = main_study(published)
    judged = judge(published, study)
    references = published.declared.get("references") or ()
    if not judged and not references:
        raise NotApplicable("No claims are declared.")
    parts = []
    if judged:
        parts += [
            elements.paragraph(
                f"Claims are quoted, not endorsed. Beside each stands what the line through this table says "
                f"({words.lower(study.measure.title)}, {words.models(study)}); what the line says of a "
                f"target holds only if there is no floor.{_proviso(judged, study)}"
            ),
            elements.table(
                "Claims, and what the line says",
                [Column("Claim"), Column("Source"), Column("The line"), Column("The claim lies")],
                [_claim_row(one, study) for one in judged],
                hide_caption=True,
            ),
        ]
    if references:
        parts.append(_references(published, references))
    return elements.join(*parts)


def _proviso(judged: Sequence[Judged], study: Study) -> str:
    """Return of which fit the powers are that claims are held against, and what the others say."""
    if all(one.figure != "power" for one in judged):
        return ""
    above = words.power_above(study)
    others = [f"above a floor it is {above}"] if above else []
    if study.with_year is not None:
        others.append(f"with year beside compute it is {words.power(study.with_year.power)}")
    told = " Its power is that of the line without floor and without year"
    return f"{told}; {' and '.join(others)}." if others else f"{told}."


def _claim_row(one: Judged, study: Study) -> list[str | Markup]:
    where, kind = _WHERE[one.verdict]
    return [one.says, one.source, _figure(one.figure, one.ours, study), elements.badge(where, kind)]


def _figure(kind: str, value: Interval | None, study: Study) -> Markup | str:
    if value is None:
        return ""
    if not study.may_fall:
        return "not reached"
    text = {
        "power": lambda: words.power(value),
        "compute": lambda: words.interval(value, study.measure.unit),
        "usd": lambda: words.money(value),
        "kg_co2": lambda: words.carbon(value),
    }[kind]()
    return elements.split(text)


def _references(published: Published, references: Sequence[Mapping[str, Any]]) -> Markup:
    known = {study.measure.key: study for study in published.studies}
    rows = []
    for one in references:
        study = known.get(one["measure"])
        title = study.measure.title if study else str(one["measure"])
        unit = study.measure.unit if study else ""
        theirs = [f"{one['n']} results"] if one.get("n") else []
        if one.get("r_squared"):
            theirs.append(f"R² {formats.r_squared(one['r_squared'])}")
        if one.get("power") and study:
            low, middle, high = one["power"]
            figures = [
                "Power",
                formats.interval(Interval(middle, low, high)),
                words.power(study.line.power),
            ]
            ours = f"{words.models(study)}, R² {formats.r_squared(study.line.r_squared)}"
        elif one.get("compute") and study:
            low, middle, high = one["compute"]
            own = next((each for each in study.forecasts if each.target == one.get("target")), None)
            figures = [
                f"Compute for {words.target(published, one['target'])}",
                words.interval(Interval(middle, low, high), unit),
                words.interval(own.line, unit) if own else "",
            ]
            ours = words.money(own.usd) if own and own.usd else ""
            theirs += [formats.money(one["usd"], "USD", 2)] if one.get("usd") else []
        else:
            continue
        rows.append(
            [figures[0], title, f"{figures[1]}; {', '.join(theirs)}", f"{figures[2]}; {ours}", one["source"]]
        )
    return elements.table(
        "The same figures from other data",
        [Column("Figure"), Column("Measure"), Column("Theirs"), Column("This table"), Column("Source")],
        rows,
    )


def decomposition(published: Published) -> Markup:
    """Return two models' compute as a product.

    Raises
    ------
    NotApplicable
        No two models are named.
    """
    one = published.decomposition
    declared = published.declared.get("decomposition") or {}
    if one is None:
        raise NotApplicable("No two models are named to be taken apart.")
    factors = (
        f"{formats.number(one.hardware)} (faster processors) × {formats.plain(one.processors, 3)} (more of "
        f"them) × {formats.number(one.time, 2)} (time)"
    )
    return elements.join(
        elements.paragraph(
            f"From {one.before.name} to {one.after.name} the error fell to {formats.number(one.error, 2)} of "
            f"what it was, and the burden rose {formats.count(one.product)} times: {factors}."
        ),
        elements.table(
            f"{one.before.name} and {one.after.name}",
            [
                Column("Model"),
                Column("Year", numeric=True),
                Column(published.error_title, numeric=True),
                Column("Processor"),
                Column("Peak", numeric=True, note="GFLOP/s each"),
                Column("Processors", numeric=True),
                Column("Days", numeric=True),
            ],
            [*(_model_row(published, each) for each in (one.before, one.after)), _ratio_row(one)],
            hide_caption=True,
        ),
        Markup("<blockquote>{}</blockquote>").format(
            f"{declared.get('says', '')} ({declared.get('source', '')})"
        )
        if declared.get("says")
        else Markup(""),
        elements.paragraph(declared.get("note", ""), quiet=True) if declared.get("note") else Markup(""),
    )


def _model_row(published: Published, one: Observation) -> list[str | Markup]:
    return [
        one.name,
        "" if one.year is None else f"{one.year:.0f}",
        words.error(published, one.error),
        one.labels.get("processor", ""),
        formats.plain(one.facts["peak_gflops"]),
        formats.plain(one.facts["processors"]),
        formats.plain(one.facts["days"], 3),
    ]


def _ratio_row(one: Decomposition) -> list[str | Markup]:
    ratios = [formats.number(value, 3) for value in (one.error, one.hardware, one.processors, one.time)]
    return ["Ratio", "", ratios[0], "", *ratios[1:]]


def criticism(published: Published) -> Markup:
    """Return facts that speak against reading too much into the figures.

    Raises
    ------
    NotApplicable
        None are declared.
    """
    declared = published.declared.get("criticism") or ()
    if not declared:
        raise NotApplicable("No criticism is declared.")
    return elements.items(
        Markup("{} <small>{}</small>").format(formats.sentence(one["says"]), one["source"])
        for one in declared
    )
