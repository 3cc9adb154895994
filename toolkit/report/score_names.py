"""What scores and errors are called in sentences and headings."""

from __future__ import annotations

from toolkit.report import formats

__all__ = ["score_name"]

_NAMES = {
    "error_log_loss": "log loss",
    "error_brier": "Brier score",
    "error_one_minus_average_precision": "1 − PR-AUC",
    "score_average_precision": "PR-AUC",
    "score_roc_auc": "ROC-AUC",
}


def score_name(score: str) -> str:
    """Return the name of a score or error within a sentence."""
    return _NAMES.get(score, formats.words(score.removeprefix("error_").removeprefix("score_")))
