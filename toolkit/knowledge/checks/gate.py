"""A knowledge base that may be run: read, compiled, and free of what is a mistake for sure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.checks.logical import check_knowledge
from toolkit.knowledge.schema import Schema
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge

__all__ = ["load_checked", "refuse_errors"]


def load_checked(path: Path, schema: Schema) -> tuple[KnowledgeBase, ExpertSystem]:
    """Read a knowledge base, compile it against a task's columns, and refuse it when it has errors.

    Parameters
    ----------
    path : Path
        The YAML file.
    schema : Schema
        The task's columns.

    Returns
    -------
    knowledge : KnowledgeBase
    system : ExpertSystem
        The same, compiled.

    Raises
    ------
    KnowledgeError
        The file cannot be read, does not fit the task, or its checks find an error; warnings and infos
        are left to ``toolkit check``.
    """
    knowledge = load(path)
    system = compile_knowledge(knowledge, schema)
    refuse_errors(check_knowledge(knowledge, schema), path)
    return knowledge, system


def refuse_errors(findings: Iterable[RuleFinding], path: Path) -> None:
    """Refuse a knowledge base of which something of severity error was found.

    Raises
    ------
    KnowledgeError
        With the first error, how many there are, and how to see them all.
    """
    errors = [found for found in findings if found.severity == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise KnowledgeError(
            f"{errors[0].sentence}{more}; see all findings with: toolkit check {shlex.quote(str(path))}",
            where=errors[0].where or str(path),
        )
