"""A knowledge base held against training rows, as HTML: rules, conflicts, gaps, examples, findings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from toolkit.report import elements, figures, formats
from toolkit.report.elements import Column
from toolkit.report.knowledge_figures import certainties, certainty, interval_of

__all__ = ["against_rows"]

N_DRAWN = 20
"""Rules in the figure; the table beside it holds all."""

_KINDS = {"error": "bad", "warning": "open", "info": "plain"}
_EXAMPLES = {
    "raised": "A row that rules raise most",
    "lowered": "A row that rules lower most",
    "conflict": "A row on which rules contradict one another",
    "silent": "A row on which no rule fires",
}


def against_rows(base: Mapping[str, Any], cluster: str) -> Markup:
    """Return what the training rows say of one knowledge base.

    Parameters
    ----------
    base : mapping
        As it stands in the context, with ``data``.
    cluster : str
        What a cluster is, in one word.
    """
    data, name = base["data"], str(base.get("name", "Rules"))
    positive = str(base.get("positive", "positive"))
    return elements.join(
        elements.paragraph(_rows(data, cluster, positive)),
        _figure(data, name, cluster),
        _findings(data),
        _conflicts(data, name, positive),
        *(_example(example, positive) for example in data.get("examples", ())),
    )


def _rows(data: Mapping[str, Any], cluster: str, positive: str) -> str:
    dates = data.get("n_dates")
    at = f" at {formats.count(dates)} date{'' if dates == 1 else 's'}" if dates else ""
    told = [
        f"Held against the {formats.count(data['n_rows'])} training rows of the largest rung, of "
        f"{formats.count(data['n_clusters'])} clusters (one a {cluster}){at}; validation and test rows were "
        "not looked at."
    ]
    if data.get("observed_rate") is not None:
        told.append(
            f"Of these rows {formats.ratio(data['observed_rate'])} are “{positive}”, where the prior expects "
            f"{formats.ratio(data['expected_rate'])}; below, it is first set right in general."
        )
    told.append(_silent(data["silent_share"]))
    return " ".join(told)


def _silent(share: float) -> str:
    if not share:
        return "On every row some rule fires."
    return f"On {formats.ratio(share)} of the rows no rule fires, and the prior stands."


def _figure(data: Mapping[str, Any], name: str, cluster: str) -> Markup:
    rules = sorted(data["rules"], key=lambda rule: -rule["n_counts"])
    table = _table(rules, data, name)
    judged = [rule for rule in rules if rule["data"] is not None and rule.get("fires_on_dates") != 1]
    drawn = judged[:N_DRAWN]
    if not drawn:
        return table
    left = len(rules) - len(drawn)
    more = f" Rules in the table only: {formats.count(left)}." if left else ""
    return figures.embed(
        certainties(drawn),
        name=f"rules-{name}",
        title="What the experts say, and what the training rows say",
        description="Most used rules on top. A dot is the certainty that the rows where the rule counts bear "
        f"out, against the prior, with a 95 % interval over clusters (one a {cluster}); a diamond is the "
        f"expert's.{more}",
        table=table,
    )


def _table(rules: list[Mapping[str, Any]], data: Mapping[str, Any], name: str) -> Markup:
    return elements.table(
        f"Rules of {name} and the training rows, most used first",
        [
            Column("Rule"),
            Column("Fires on", numeric=True),
            Column("Counts on", numeric=True, note="no stronger one of its group fires"),
            Column("Rate there", numeric=True),
            Column("Prior expects", numeric=True),
            Column("Expert says", numeric=True, note="certainty"),
            Column("Rows say", numeric=True, note="95 % interval"),
            Column("Beside the other rules", numeric=True, note="95 % interval"),
        ],
        [
            [
                _name(rule),
                formats.ratio(rule["n_fires"] / data["n_rows"]),
                formats.ratio(rule["n_counts"] / data["n_rows"]),
                _ratio(rule["observed_rate"]),
                _ratio(rule["expected_rate"]),
                certainty(rule["certainty"]),
                "" if rule.get("fires_on_dates") == 1 else _told(rule["data"]),
                "" if rule.get("fires_on_dates") == 1 else _told(rule["given_others"]),
            ]
            for rule in rules
        ],
    )


def _name(rule: Mapping[str, Any]) -> str | Markup:
    name = formats.words(str(rule["id"]))
    dates = rule.get("fires_on_dates", 0)
    if not dates:
        return name
    note = "on one date: not judged" if dates == 1 else f"on {dates} whole dates: interval over dates"
    return Markup("{} <small>{}</small>").format(name, note)


def _ratio(value: float | None) -> str:
    return "" if value is None else formats.ratio(value)


def _told(told: Mapping[str, float] | None) -> str | Markup:
    value = interval_of(told)
    if value is None:
        return ""
    return elements.estimate(value, lambda number, _: certainty(number))


def _conflicts(data: Mapping[str, Any], name: str, positive: str) -> Markup:
    if not data["conflicts"]:
        return elements.paragraph("No two rules of opposite directions count on the same row.")
    return elements.table(
        f"Rules of {name} that cancel most of each other's evidence",
        [
            Column("For"),
            Column("Against"),
            Column("Rows", numeric=True),
            Column("Rate there", numeric=True),
            Column("Prior expects", numeric=True),
            Column("Together they say", numeric=True, note=f"certainty of “{positive}”"),
            Column("Rows say", numeric=True, note="95 % interval"),
        ],
        [
            [
                formats.words(pair["rule_for"]),
                formats.words(pair["rule_against"]),
                formats.count(pair["n_rows"]),
                _ratio(pair["observed_rate"]),
                _ratio(pair["expected_rate"]),
                certainty(pair["certainty"]),
                _told(pair["data"]),
            ]
            for pair in data["conflicts"]
        ],
    )


def _example(example: Mapping[str, Any], positive: str) -> Markup:
    told: list[str | Markup] = [
        Markup("{} ({}, odds × {}): {}").format(
            formats.words(each["rule"]),
            each["then"],
            formats.plain(math.exp(each["log_odds"]), 3),
            each["because"],
        )
        for each in example["contributions"]
    ]
    if example.get("silenced"):
        quiet = ", ".join(map(formats.words, example["silenced"]))
        told.append(f"Fires too, but a stronger rule of its group counts: {quiet}.")
    if example.get("facts"):
        told.append(f"Settled by the hard fact: {', '.join(map(formats.words, example['facts']))}.")
    if example.get("why_not"):
        told.append(f"Nearest rule that does not fire: {example['why_not']}.")
    values = ", ".join(f"{name} = {_value(value)}" for name, value in example["row"].items())
    return elements.join(
        Markup("<h3>{}</h3>").format(_EXAMPLES.get(example["kind"], example["kind"])),
        elements.paragraph(
            f"The prior says {formats.probability(example['prior_probability'])} for “{positive}”, with the "
            f"rules it is {formats.probability(example['probability'])}."
        ),
        elements.paragraph(f"The row: {values}.", quiet=True),
        elements.items(told),
    )


def _value(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, float | int) and not isinstance(value, bool):
        return formats.plain(value, 4)
    return str(value)


def _findings(data: Mapping[str, Any]) -> Markup:
    # Conflicts that do occur stand in a table of their own, with how often they do.
    found = [one for one in data.get("findings", ()) if one["code"] != "conflict"]
    if not found:
        return Markup("")
    return elements.join(
        Markup("<h3>What the checks of the rules found</h3>"),
        elements.items(
            Markup("{} {}").format(
                elements.badge(one["severity"], _KINDS.get(one["severity"], "plain")),
                formats.sentence(one["sentence"]),
            )
            for one in found
        ),
    )
