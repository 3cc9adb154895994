"""Everything that can be said of a knowledge base without data, exactly and with an example row.

========================  ========  ==============================================================
code                      severity  what was found
========================  ========  ==============================================================
``never-fires``           error     no row can meet the condition
``table-overlap``         error     two rows of a table with hit policy U can fire together
``unknown-column``        error     the task does not have the column
``wrong-type``            error     the task's column is of another kind
``unknown-choice``        error     the task's column does not have the value
``facts-clash``           warning   a ``never`` and an ``always`` can both be met; ``never`` wins
``always-fires``          warning   every row meets the condition; an error of a hard fact
``never-counts``          warning   a rule of the same group outdoes it wherever it fires
``overruled``             warning   a hard fact settles every row on which it fires
``constant-comparison``   warning   a comparison holds nowhere, or everywhere, in its column's range
``duplicate``             warning   counts on the same rows, same outcome: counts twice
``contradiction``         warning   counts on the same rows, opposite outcome
``subsumed``              warning   counts only where another does, same outcome; an info of a hard fact
``exception``             info      counts only where another does, opposite outcome
``conflict``              info      can count together with opposite outcomes
``gap``, ``table-gap``    info      nothing fires although all values are known
``unused-column``,        info      nothing uses the name
``unused-term``,
``unused-set``
``not-analysed``          info      too complex for an exact answer
========================  ========  ==============================================================

A missing value is a value of its own here, as it is in `condition.holds`: it meets no comparison
unless the column says what missing stands for. Columns are taken to keep to their declared range.
A rule counts where it fires, no rule before it in its group does, and no hard fact decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.checks.analysed import analysed
from toolkit.knowledge.checks.counting import Counting
from toolkit.knowledge.checks.facts import facts
from toolkit.knowledge.checks.findings import RuleFinding, Severity, gravest_first
from toolkit.knowledge.checks.gaps import gaps
from toolkit.knowledge.checks.names import against_task, unused
from toolkit.knowledge.checks.pairs import conflicts, containments, table_overlaps, undecided
from toolkit.knowledge.checks.rules import comparisons, effects, extremes
from toolkit.knowledge.schema import Schema

__all__ = ["check_knowledge"]

MOST = 20
"""Findings of one kind that are told one by one."""


def check_knowledge(knowledge: KnowledgeBase, schema: Schema | None = None) -> tuple[RuleFinding, ...]:
    """Check a knowledge base by itself; `toolkit.knowledge.checks.data` holds it against rows.

    Parameters
    ----------
    knowledge : KnowledgeBase
    schema : Schema, optional
        The task's columns, see `toolkit.tasks.base.Schema`: names, kinds and values are compared with them.

    Returns
    -------
    tuple of RuleFinding
        The gravest first.

    Raises
    ------
    KnowledgeError
        The knowledge base cannot be read.
    """
    base = analysed(knowledge, schema)
    counts = Counting(base)
    found = [
        *(against_task(base, schema) if schema is not None else ()),
        *extremes(base),
        *facts(base),
        *table_overlaps(base),
        *effects(base),
        *comparisons(base),
        *containments(counts),
        *conflicts(counts),
        *gaps(base),
        *unused(base),
        *undecided(counts),
    ]
    return gravest_first(_shortened(found))


def _shortened(found: Sequence[RuleFinding]) -> Iterator[RuleFinding]:
    """Yield the first `MOST` findings of each code and severity, and the number of those beyond."""
    kinds = Counter((finding.code, finding.severity) for finding in found)
    seen: Counter[tuple[str, Severity]] = Counter()
    for finding in found:
        kind = (finding.code, finding.severity)
        seen[kind] += 1
        if seen[kind] <= MOST or kinds[kind] == MOST + 1:
            yield finding
        elif seen[kind] == MOST + 1:
            yield RuleFinding(
                *kind, f"{kinds[kind] - MOST:,} more findings like those before ({finding.code})"
            )
