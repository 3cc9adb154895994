"""The answer: which track to use, how sure that is, and what each earns."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results, TrackVerdict, Verdict
from toolkit.analysis.verdict import CLEAR, DEEP, HYBRID, PLAIN
from toolkit.analysis.verdict_words import best_of, compares, more_often, told_excluded
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.beside_leader import beside_leader
from toolkit.report.constraint_words import constraints_told
from toolkit.report.elements import Column, Tile
from toolkit.report.kinds import excluded_as, kinds
from toolkit.report.looks import label, looks, track_names
from toolkit.report.rungs import chance_best, none_pays, standing

__all__ = ["VerdictSection"]


def _sentences(text: str) -> Markup:
    """Return what the verdict says: the first sentence large, the rest below it."""
    first, _, rest = text.partition(". ")
    large = Markup('<p class="sentence">{}</p>').format(f"{first}." if rest else first)
    return elements.join(large, Markup('<p class="answer">{}</p>').format(rest)) if rest else large


def _answer(value: bool | None) -> str:
    return {True: "Yes", False: "No", None: "Cannot tell"}[value]


class VerdictSection(Section):
    """One sentence, up to four answers, and the net value of every track."""

    order: ClassVar[int] = 10
    title: ClassVar[str] = "Verdict"

    def render(self, results: Results) -> Markup:
        """Return the section; not applicable before any cell has finished."""
        verdict = results.verdict
        if not verdict.sentence and not verdict.tracks:
            raise NotApplicable("No cell has finished yet, so there is nothing to compare.")
        sentence = _sentences(verdict.sentence)
        if not verdict.tracks:
            return sentence
        return elements.join(
            sentence,
            elements.tiles(_tiles(results)),
            _knowing(verdict),
            constraints_told(results),
            _net_value(results),
            beside_leader(verdict, looks(track_names(results))),
        )


def _tiles(results: Results) -> list[Tile]:
    verdict = results.verdict
    if verdict.too_close_to_call is None:
        call = "Cannot tell"
    else:
        call = "Too close to call" if verdict.too_close_to_call else "Clear"
    margin = formats.money(verdict.margin, verdict.currency)
    apart = "" if verdict.margin is None else f"less than {margin} a year apart counts as a tie"
    return [
        _leader(verdict),
        Tile("How clear is it?", call, _why_clear(verdict, apart)),
        _deep_tile(results, margin),
        *_hybrid_tile(results, margin),
    ]


def _deep_tile(results: Results, margin: str) -> Tile:
    """Return whether a net is worth its cost, and against which tracks; else why that cannot be told."""
    verdict, known = results.verdict, kinds(results)
    title = "Deep learning worth its cost?"
    able = [entry.track for entry in verdict.tracks if not entry.excluded]
    rivals = [track for kind in PLAIN for track in able if known[track] == kind]
    chance, out = verdict.probability_deep_learning_worth_it, excluded_as(DEEP, results)
    if chance is not None and rivals:
        return Tile(
            title,
            _answer(verdict.deep_learning_worth_it),
            _odds(chance, f"a net earns over {margin} a year more than {best_of(rivals)}"),
        )
    if DEEP not in known.values():
        why = "no net in this experiment"
    elif any(known[track] == DEEP for track in able):
        why = "there is no track without a net to hold it against"
    elif out:
        return Tile(title, "No option", told_excluded(out))
    else:
        why = "no net has results to value"
    return Tile(title, _answer(verdict.deep_learning_worth_it), why)


def _hybrid_tile(results: Results, margin: str) -> list[Tile]:
    """Return whether a hybrid is worth its cost; nothing where no track is one."""
    verdict, known = results.verdict, kinds(results)
    if HYBRID not in known.values():
        return []
    title = "Hybrid worth its cost over all others?"
    able = [entry.track for entry in verdict.tracks if not entry.excluded]
    out, others = excluded_as(HYBRID, results), [track for track in able if known[track] != HYBRID]
    if out and len(others) == len(able):
        return [Tile(title, "No option", told_excluded(out))]
    all_others = others[0] if len(others) == 1 else "the best of all others"
    odds = _odds(verdict.probability_hybrid_worth_it, f"it earns over {margin} a year more than {all_others}")
    return [Tile(title, _answer(verdict.hybrid_worth_it), odds)]


def _odds(probability: float | None, that: str) -> str:
    return "" if probability is None else f"probability: {formats.probability(probability)} that {that}"


def _knowing(verdict: Verdict) -> Markup:
    """Return what it would be worth to know for certain; nothing in results that do not tell."""
    worth = verdict.value_of_perfect_information
    if worth is None:
        return Markup("")
    # the leader's expected regret is the same number, so both are rounded alike
    money = f"{formats.money(worth, verdict.currency)} a year"
    if none_pays(verdict):
        known, told = "whether any track pays, and which,", money
    else:
        or_none = "" if verdict.probability_none_pays is None else ", or that none pays,"
        known, told = f"which track is best{or_none}", f"{money}, the expected regret of {verdict.best}"
    return elements.paragraph(
        f"Knowing for certain {known} would be worth {told}: measuring more is not expected to pay more than "
        "that."
    )


def _leader(verdict: Verdict) -> Tile:
    """Return who earns most; where each is expected to lose, that is nobody."""
    if none_pays(verdict):
        told = formats.probability(verdict.probability_none_pays)
        return Tile("Earns most", "None pays", f"probability: {told}; {verdict.best} loses least")
    if verdict.probability_best is None:
        return Tile("Earns most", verdict.best or "Cannot tell")
    note = f"probability of being best: {formats.probability(verdict.probability_best)}"
    often = more_often(verdict)
    return Tile("Earns most", verdict.best or "Cannot tell", f"{note}; {often}" if often else note)


def _why_clear(verdict: Verdict, apart: str) -> str:
    """Return what makes a verdict clear or not: that none pays, or the lead over the next best."""
    none, told = verdict.probability_none_pays, [_second(verdict), apart]
    if none is not None and none_pays(verdict):
        told = [f"probability that none pays: {formats.probability(none)}"]
    elif none is not None and none > 1 - CLEAR:
        told.insert(0, f"probability that none pays: {formats.probability(none)}")
    return "; ".join(part for part in told if part)


def _second(verdict: Verdict) -> str:
    """Return how far the next best is behind the leader; nothing in results that do not tell."""
    others = [one for one in verdict.tracks if one.behind_leader_per_year is not None]
    if not others:
        return ""
    second = max(others, key=lambda one: one.net_value_per_year.estimate)
    show = formats.in_money(verdict.currency)
    behind = formats.interval(second.behind_leader_per_year, show)
    # A tile is narrow: an interval that is one word would be broken within a number.
    behind = behind.replace(",\u00a0", ", ")
    return f"{second.track} is {behind} behind"


def _regret(entry: TrackVerdict, show: formats.Show) -> str:
    return "" if entry.regret_per_year is None else show(entry.regret_per_year)


def _net_value(results: Results) -> Markup:
    verdict = results.verdict
    known = looks(track_names(results))
    ranked = sorted(
        verdict.tracks, key=lambda entry: (bool(entry.excluded), -entry.net_value_per_year.estimate)
    )
    show = formats.in_money(verdict.currency)
    regrets = any(entry.regret_per_year is not None for entry in verdict.tracks)
    unit, scale = formats.money_scale(
        end for entry in ranked for end in (entry.net_value_per_year.low, entry.net_value_per_year.high)
    )
    rows = [
        figures.Bar(
            name=f"{entry.track} (excluded)" if entry.excluded else entry.track,
            value=entry.net_value_per_year,
            text=show(entry.net_value_per_year.estimate),
            facts=(
                entry.track,
                f"net value a year: {formats.interval(entry.net_value_per_year, show)}",
                *(
                    [f"probability of being best: {formats.probability(entry.probability_best)}"]
                    if compares(verdict) and not entry.excluded
                    else []
                ),
                *([f"expected regret a year: {told}"] if (told := _regret(entry, show)) else []),
                f"value of decisions: {show(entry.gross_value_per_year)}",
                f"yearly costs: {show(sum(entry.yearly_costs.values()))}",
                f"rung {entry.rung}",
                *([f"excluded: {entry.excluded}"] if entry.excluded else []),
            ),
            look=known[entry.track],
        )
        for entry in ranked
    ]
    table = elements.table(
        "Net value a year of every track, best first",
        [
            Column("Track"),
            Column("Net value a year", numeric=True, note="95 % interval"),
            *(
                [Column("Expected regret a year", numeric=True, note="what choosing it costs")]
                if regrets
                else []
            ),
            Column("Probability of being best", numeric=True),
            Column("Standing"),
        ],
        [
            [
                label(entry.track, known),
                elements.estimate(entry.net_value_per_year, show),
                *([_regret(entry, show)] if regrets else []),
                chance_best(verdict, entry),
                elements.join(standing(verdict, entry), f" {entry.excluded}" if entry.excluded else ""),
            ]
            for entry in ranked
        ],
    )
    order = ", ".join(f"{row.name} {row.text}" for row in rows)
    return figures.embed(
        figures.bars(rows, f"Net value a year ({scale} {verdict.currency})".replace("( ", "("), unit),
        name="net-value",
        title="Net value a year: value of decisions less all costs",
        description=f"Bars are expected values, whiskers 95 % intervals. From best to worst: {order}.",
        table=table,
        note="Whiskers share the assumptions, so tracks can differ clearly although their whiskers overlap; "
        "the probabilities take that into account."
        + (
            " Expected regret is how much less a track is expected to earn than whichever turns out best"
            f"{'' if verdict.probability_none_pays is None else ', doing nothing included'}."
            if regrets
            else ""
        )
        + (f" {formats.sentence(often)}" if (often := more_often(verdict)) else ""),
    )
