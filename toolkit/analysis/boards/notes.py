"""Texts of a results board in Markdown: of the experiment, of the report and of each track."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from toolkit.analysis.interval import Interval
from toolkit.analysis.results import Results, TrackVerdict, Verdict
from toolkit.analysis.verdict_words import compares, money, more_often, percent

__all__ = ["headline", "note", "report_note", "standing", "track_note"]


def headline(verdict: Verdict) -> str:
    """Return the verdict in a few words: what a list of experiments and a folded text have room for."""
    first = re.split(r", | \(|; |\. ", verdict.sentence, maxsplit=1)[0].rstrip(".")
    order = _ranked(verdict)
    if verdict.too_close_to_call and len(order) > 1 and " ahead" in first:
        return f"Too close to call: {order[0].track} is ahead of {order[1].track}"
    return first


def standing(verdict: Verdict, one: TrackVerdict) -> str:
    """Return where a track stands in the verdict, in a few words."""
    if one.excluded:
        return f"excluded: {one.excluded}"
    leader = _leader(verdict)
    if leader is None:
        return "cannot be told"
    if one.track == leader.track:
        if one.net_value_per_year.estimate < 0:
            return "loses least"
        return "ahead, too close to call" if verdict.too_close_to_call else "best"
    gap = leader.net_value_per_year.estimate - one.net_value_per_year.estimate
    return f"{money(gap, verdict.currency)} a year behind {leader.track}"


def track_note(verdict: Verdict, one: TrackVerdict) -> str:
    """Return what a track earns, and why it leads or does not."""
    verdict = _told(verdict)
    currency = verdict.currency
    earns = f"{_sure(one.net_value_per_year, currency)} a year"
    earns += (
        f", probability of being best {percent(one.probability_best)}." if _is_held(verdict, one) else "."
    )
    blocks = [f"**{one.track}: {standing(verdict, one)}.** Net value: {earns}"]
    leader = _leader(verdict)
    others = [entry for entry in _ranked(verdict) if entry.track != one.track]
    if leader is not None and others:
        blocks.append(_why(one, others[0] if one.track == leader.track else leader, currency))
    costs = {name.replace("_", " "): cost for name, cost in one.yearly_costs.items() if cost}
    rows = [f"| its decisions bring | {money(one.gross_value_per_year, currency)} |"]
    rows += [f"| {name} | {money(-cost, currency)} |" for name, cost in costs.items()]
    rows.append(f"| **net value** | **{money(one.net_value_per_year.estimate, currency)}** |")
    blocks.append("\n".join([f"| expected, rung {one.rung} | a year |", "|---|---|", *rows]))
    blocks.append("CPU ms in charts and in the verdict are those of search and fit.")
    return "\n\n".join(blocks)


def report_note(results: Results) -> str:
    """Return the verdict and its table, and where the report lies."""
    verdict = _told(results.verdict)
    blocks = [f"**{verdict.sentence}**", _table(verdict)]
    blocks.append(
        "The whole report is `report.html` in the tab *Artifacts*; `results.json` has every figure."
    )
    return "\n\n".join(block for block in blocks if block)


def note(results: Results, links: Mapping[str, str]) -> str:
    """Return the experiment's page in Markdown: the verdict and the links come first.

    A list of experiments shows the first letters, marks and all, and the folded page the first line: so the
    verdict comes in a few plain words, then the links, then all of it.

    Parameters
    ----------
    results : Results
    links : mapping of str to str
        Title -> address.
    """
    verdict = _told(results.verdict)
    short = headline(verdict)
    blocks = [" · ".join([short, *(f"[{title}]({address})" for title, address in links.items())])]
    blocks += [f"**{verdict.sentence}**"] if verdict.sentence.rstrip(".") != short else []
    blocks.append(_table(verdict))
    flagged = [finding for finding in results.findings if finding.severity != "info"]
    blocks += ["\n".join(f"- {finding.severity}: {plain(finding.sentence)}" for finding in flagged)]
    description = str(results.experiment.get("description") or "")
    blocks += [plain(description), *(plain(str(notice)) for notice in results.task.get("notices") or ())]
    return "\n\n".join(block for block in blocks if block)


def _told(verdict: Verdict) -> Verdict:
    """Return a verdict whose currency and sentence are text in Markdown."""
    return replace(verdict, currency=plain(verdict.currency), sentence=plain(verdict.sentence))


def plain(text: str) -> str:
    """Return one line of text that Markdown shows as it is: what users write becomes no link and no table."""
    return re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", " ".join(text.split()))


def _ranked(verdict: Verdict) -> list[TrackVerdict]:
    """Return the tracks that may be chosen, the highest net value first."""
    able = [one for one in verdict.tracks if not one.excluded]
    return sorted(able, key=lambda one: -one.net_value_per_year.estimate)


def _leader(verdict: Verdict) -> TrackVerdict | None:
    return next((one for one in verdict.tracks if one.track == verdict.best), None)


def _table(verdict: Verdict) -> str:
    if not verdict.tracks:
        return ""
    order = sorted(verdict.tracks, key=lambda one: (bool(one.excluded), -one.net_value_per_year.estimate))
    rows = [
        f"| {one.track} | {_sure(one.net_value_per_year, verdict.currency)} "
        f"| {percent(one.probability_best) if _is_held(verdict, one) else '–'} | {standing(verdict, one)} |"
        for one in order
    ]
    head = "| track | net value a year (95 % interval) | probability of being best | stands |"
    often = plain(more_often(verdict))
    below = [f"\n{often[0].upper()}{often[1:]}."] if often else []
    return "\n".join([head, "|---|---|---|---|", *rows, *below])


def _is_held(verdict: Verdict, one: TrackVerdict) -> bool:
    """Tell whether a track is held against others: one alone or excluded is best by no probability."""
    return compares(verdict) and not one.excluded


def _sure(value: Interval, currency: str) -> str:
    low, high = money(value.low, currency), money(value.high, currency)
    return f"{money(value.estimate, currency)} ({low.removesuffix(f' {currency}')} to {high})"


def _why(one: TrackVerdict, other: TrackVerdict, currency: str) -> str:
    """Tell a track from another by what its decisions bring and by what it costs, as expected."""
    brings = one.gross_value_per_year - other.gross_value_per_year
    costs = sum(one.yearly_costs.values()) - sum(other.yearly_costs.values())
    return (
        f"Against {other.track}, its decisions are expected to bring {_more(brings, currency)}, "
        f"and it costs {_more(costs, currency)}."
    )


def _more(amount: float, currency: str) -> str:
    if abs(amount) < 0.005:
        return "as much"
    return f"{money(abs(amount), currency)} a year {'more' if amount > 0 else 'less'}"
