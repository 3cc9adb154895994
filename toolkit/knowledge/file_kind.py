"""Whether a YAML file is a knowledge base or an experiment, told by its keys."""

from __future__ import annotations

from pathlib import Path

from toolkit.errors import UserError
from toolkit.yamlfile import read_mapping

__all__ = ["is_experiment"]

_KNOWLEDGE_KEYS = {"knowledge_base", "predicts", "prior", "rules", "tables"}
_EXPERIMENT_KEYS = {"experiment", "task", "ladder", "tracks", "economics"}


def is_experiment(path: Path) -> bool:
    """Tell an experiment from a knowledge base.

    Raises
    ------
    UserError
        The file cannot be read, or is neither.
    """
    data, *_ = read_mapping(
        path,
        what="a knowledge base or an experiment",
        example="experiments/knowledge/retail.yaml",
        keys="knowledge_base, predicts, prior … or experiment, task, ladder …",
        error=UserError,
    )
    for key, answer in (("knowledge_base", False), ("experiment", True)):
        if key in data:
            return answer
    known, other = _EXPERIMENT_KEYS & set(data), _KNOWLEDGE_KEYS & set(data)
    if not known and not other:
        raise UserError(
            "neither a knowledge base (its first key is knowledge_base) nor an experiment (experiment); "
            f"found: {', '.join(map(str, list(data)[:6])) or 'no key'}",
            where=str(path),
        )
    return len(known) > len(other)
