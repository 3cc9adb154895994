"""Rows given by hand, explained with a knowledge base alone: its own columns are all there is."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.explain.explainer import Explainer, Explanations
from toolkit.knowledge.explain.given import Given, given_frame
from toolkit.knowledge.frames import FrameColumn, FrameSchema, folded, named_levels
from toolkit.knowledge.symbolic import compile_knowledge

__all__ = ["explain_given", "own_schema"]


def explain_given(knowledge: KnowledgeBase, rows: Sequence[tuple[str, Given]]) -> Explanations:
    """Explain rows given by hand.

    Parameters
    ----------
    knowledge : KnowledgeBase
    rows : sequence of tuple of str and Given
        Each as it was written, for messages, and as it was read.

    Raises
    ------
    DataError
        An unknown column, or a value that its column cannot have.
    """
    schema = own_schema(knowledge, [given for _, given in rows])
    frames = [given_frame(given, schema.columns, knowledge, text=text) for text, given in rows]
    explainer = Explainer.of(knowledge, compile_knowledge(knowledge, schema), schema.levels)
    return explainer.explain(pd.concat(frames, ignore_index=True))


def own_schema(knowledge: KnowledgeBase, rows: Sequence[Given] = ()) -> FrameSchema:
    """Return a knowledge base's columns as a schema.

    Parameters
    ----------
    knowledge : KnowledgeBase
    rows : sequence of Given
        A choice without declared values takes theirs too, beside those that conditions name; not those
        that differ from one of these only by case or blanks, which are slips.
    """
    named, columns = named_levels(knowledge), []
    for name, spec in knowledge.columns.items():
        if spec.type != "choice":
            columns.append(FrameColumn(name, "number"))
            continue
        known = named[name]
        if spec.values is None:  # noqa: PD011 (not pandas)
            near = {folded(level) for level in known}
            given = {row.get(name) for row in rows}
            known |= {each for each in given if isinstance(each, str) and each and folded(each) not in near}
        columns.append(FrameColumn(name, "category", tuple(sorted(known))))
    return FrameSchema(tuple(columns))
