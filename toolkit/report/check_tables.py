"""What `toolkit check` shows in a terminal: findings, and certainties beside what rows say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.observed import Observed
from toolkit.knowledge.shift import Shift, certainty_of
from toolkit.report import formats
from toolkit.report.knowledge_figures import certainty

__all__ = ["closing_line", "evidence_table", "findings_table", "row_text", "value_text"]

_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_RULE_WIDTH = 22
_MOST_RULES = 6
"""Rules of one finding that are named; the others are counted."""


def findings_table(findings: Sequence[RuleFinding]) -> Table:
    """Return one row a finding: severity, rules, and the sentence with its example row and place."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("rule", max_width=_RULE_WIDTH, overflow="fold")
    table.add_column("finding", ratio=1, overflow="fold")
    for finding in findings:
        told = Text(formats.sentence(finding.sentence))
        if finding.witness:
            told.append(f"\nexample: {row_text(finding.witness)}", "dim")
        if finding.where:
            told.append(f"\n{finding.where}", "dim")
        severity = Text(finding.severity, _STYLES[finding.severity])
        table.add_row(severity, Text("\n".join(_few(finding.rules))), told)
    return table


def _few(rules: Sequence[str]) -> Sequence[str]:
    if len(rules) <= _MOST_RULES:
        return rules
    return [*rules[: _MOST_RULES - 1], f"and {len(rules) - _MOST_RULES + 1:,} more"]


def row_text(row: Mapping[str, object]) -> str:
    """Return a row as ``n182 = 9, gap_cv = 0.3, category = "SOUP"``."""
    return ", ".join(f"{name} = {value_text(value)}" for name, value in row.items())


def evidence_table(observed: Observed) -> Table:
    """Return one row a rule: where it counts, its expert's certainty, and what the rows say."""
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column("rule", overflow="fold")
    table.add_column("counts\non", justify="right", no_wrap=True)
    table.add_column("expert\nsays", justify="right", no_wrap=True)
    table.add_column("rows say\n[95 % interval]", justify="right", no_wrap=True)
    table.add_column("beside the\nother rules", justify="right", no_wrap=True)
    for seen in observed.rules:
        sign = math.copysign(1.0, seen.certainty)
        table.add_row(
            Text(seen.rule),
            formats.ratio(seen.n_counts / seen.n_rows, 2),
            certainty(abs(seen.certainty)),
            "one date" if seen.fires_on_dates == 1 else _told(seen.shift, sign),
            "" if seen.fires_on_dates == 1 else _told(seen.given_others, sign),
        )
    return table


def closing_line(findings: Sequence[RuleFinding]) -> str:
    """Return the counts of findings by severity."""
    counts = {name: sum(one.severity == name for one in findings) for name in _STYLES}
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items())


def value_text(value: object) -> str:
    """Return one value of a row for people."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return formats.plain(value, 4)
    return str(value)


def _told(shift: Shift | None, sign: float) -> str:
    if shift is None:
        return ""
    low, high = sorted((sign * shift.low, sign * shift.high))
    estimate, *ends = (certainty(certainty_of(value)) for value in (sign * shift.estimate, low, high))
    return f"{estimate} [{ends[0]}, {ends[1]}]"
