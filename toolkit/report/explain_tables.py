"""What `toolkit explain` shows in a terminal: the sum of one row's evidence, line by line."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from toolkit.knowledge.explain.explanation import NO_RULE, Contribution, Explanation
from toolkit.report import formats
from toolkit.report.check_tables import row_text, value_text

__all__ = ["explanation_view"]

_HALF = 4
"""Cells of a bar on either side of nothing."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def explanation_view(
    title: str,
    explanation: Explanation,
    values: Mapping[str, object],
    stand_ins: Mapping[str, object] | None = None,
) -> RenderableType:
    """Return one explanation: the answer, the row, the sum, and what else there is to say.

    Parameters
    ----------
    title : str
        What row it is.
    explanation : Explanation
    values : mapping of str to object
        What the row holds in the columns of the knowledge base; None is missing.
    stand_ins : mapping of str to object, optional
        What a missing value stands for, for the columns that say so.
    """
    answer = Text.assemble(
        (f"{title}: ", "bold"), explanation.predicts, " ", (_percent(explanation.probability), "bold")
    )
    row = Text(_row(values, stand_ins or {}), "dim")
    return Group(answer, row, _sum(explanation), *_rest(explanation))


def _row(values: Mapping[str, object], stand_ins: Mapping[str, object]) -> str:
    """Return what is known of a row, then what is missing and what that counts as."""
    known = {name: value for name, value in values.items() if value is not None}
    missing = [
        f"{name} (counts as {value_text(stand_ins[name])})" if name in stand_ins else name
        for name, value in values.items()
        if value is None
    ]
    parts = [row_text(known)] if known else []
    parts += [f"missing: {', '.join(missing)}"] if missing else []
    return "; ".join(parts)


def _sum(explanation: Explanation) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=True, show_footer=True)
    table.add_column("evidence", "all together", max_width=22, overflow="fold")
    table.add_column("odds", justify="right", no_wrap=True)
    table.add_column("log-odds", f"{explanation.logit:+.3f}", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, width=2 * _HALF)
    table.add_column("why", _percent(_probability(explanation.logit)), ratio=1, overflow="fold")
    parts = [each.log_odds for each in explanation.contributions]
    parts += [explanation.bias, explanation.correction or 0.0]
    largest = max(map(abs, parts))
    source = "" if explanation.prior.endswith("%") else f"\n{explanation.prior}"
    table.add_row(
        Text.assemble("the prior", (source, "dim")),
        "",
        f"{explanation.prior_log_odds:+.3f}",
        "",
        _percent(explanation.prior_probability),
    )

    def add(name: Text | str, log_odds: float, why: str) -> None:
        table.add_row(name, _odds(log_odds), f"{log_odds:+.3f}", _bar(log_odds, largest), Text(why))

    if explanation.bias:
        add("all rows", explanation.bias, "what the labels add to every row")
    for each in explanation.contributions:
        says = f"\n{each.then}, {each.certainty}"
        if _reweighted(each):
            says += f" ({each.experts_log_odds:+.3f})"
        add(Text.assemble(each.rule, (says, "dim")), each.log_odds, each.because)
    if explanation.correction is not None:
        add("learned on top", explanation.correction, "what the trained model knows beyond the rules")
    return table


def _rest(explanation: Explanation) -> list[Text]:
    stands = explanation.no_rule_applies and not explanation.facts
    lines = [Text(formats.sentence(NO_RULE))] if stands else []
    if any(map(_reweighted, explanation.contributions)):
        lines.append(
            Text("In brackets: what the expert's certainty stands for, before it was re-weighted.", "dim")
        )
    lines += [
        Text.assemble(
            ("Fired, but does not count: ", "bold"),
            f"{each.rule}, because {each.stronger} of its ",
            "group goes before it.",
        )
        for each in explanation.silenced
    ]
    settled = "never" if any(fact.kind == "never" for fact in explanation.facts) else "always"
    for fact in explanation.facts:
        ends = f" So the answer is {_percent(explanation.probability)}." if fact.kind == settled else ""
        lines.append(
            Text.assemble(
                (f"Hard fact, {fact.kind}: ", "bold"), f"{fact.id}: {formats.sentence(fact.because)}{ends}"
            )
        )
    if explanation.why_not is not None:
        lines.append(Text.assemble(("Why not: ", "bold"), f"{explanation.why_not.to_text()}."))
    return lines


def _reweighted(contribution: Contribution) -> bool:
    return not math.isclose(contribution.log_odds, contribution.experts_log_odds, abs_tol=1e-9)


def _percent(value: float) -> str:
    """Return a probability as this model says it, 0 % and 100 % included."""
    return f"{100 * value:.3g} %"


def _odds(log_odds: float) -> str:
    """Return what the odds are multiplied or divided by."""
    sign = "×" if log_odds >= 0 else "÷"
    return f"{sign} {math.exp(abs(log_odds)):.3g}"


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0


def _bar(value: float, largest: float) -> Text:
    """Return a bar to the right for what raises, to the left for what lowers."""
    eighths = round(8 * _HALF * abs(value) / largest) if largest else 0
    full, part = divmod(eighths, 8)
    if value >= 0:
        return Text(f"{' ' * _HALF}{'█' * full}{_EIGHTHS[part].strip()}", "green")
    # there are no blocks that fill from the right: half a cell or none
    return Text(f"{'▐' if part >= 4 else ''}{'█' * full}".rjust(_HALF), "red")
