"""What a results board shows of the report: the verdict in figures, as tags and as a text."""

from __future__ import annotations

import math

from toolkit.analysis.boards import names
from toolkit.analysis.boards.notes import report_note
from toolkit.analysis.boards.values import Board, Point, rounded
from toolkit.analysis.results import Results, Verdict
from toolkit.records import SETTLED

__all__ = ["report_board"]


def report_board(results: Results) -> Board:
    """Return the verdict as tags, metrics and a text, and the environment as parameters."""
    verdict = results.verdict
    answers = {
        "verdict": verdict.sentence,
        "best": verdict.best,
        "too_close_to_call": verdict.too_close_to_call,
        "deep_learning_worth_it": verdict.deep_learning_worth_it,
        "hybrid_worth_it": verdict.hybrid_worth_it,
    }
    tags = {name: _words(answer) for name, answer in answers.items()}
    tags |= {"mlflow.note.content": report_note(results)}
    figures = {
        **_money(verdict),
        "verdict/probability that the leader is best in percent": _percent(verdict.probability_best),
        "verdict/probability that deep learning is worth it in percent": _percent(
            verdict.probability_deep_learning_worth_it
        ),
        "verdict/probability that the hybrid is worth it in percent": _percent(
            verdict.probability_hybrid_worth_it
        ),
        "verdict/probability that none pays in percent": _percent(verdict.probability_none_pays),
        "cells": float(len(results.cells)),
        "cells not finished": float(sum(cell.status not in SETTLED for cell in results.cells)),
    }
    points = tuple(
        Point(name, rounded(value))
        for name, value in figures.items()
        if value is not None and math.isfinite(value)
    )
    return Board(points, {key: str(value) for key, value in results.environment.items()}, tags)


def _money(verdict: Verdict) -> dict[str, float | None]:
    """Return what the leader earns and by how much it leads, each in a unit that suits it."""
    able = [one.net_value_per_year.estimate for one in verdict.tracks if not one.excluded]
    earned = sorted(able, reverse=True)
    leader = next((one for one in verdict.tracks if one.track == verdict.best), None)
    figures: dict[str, float | None] = {}
    if leader is not None:
        value = leader.net_value_per_year
        unit = names.money_unit([value.estimate], verdict.currency)
        name = f"verdict/{names.net_value(unit)} of the leader"
        figures |= {
            name: value.estimate * unit.factor,
            f"{name} - low end": value.low * unit.factor,
            f"{name} - high end": value.high * unit.factor,
        }
    gaps = {"lead over the next": earned[0] - earned[1]} if len(earned) > 1 else {}
    gaps |= {} if verdict.margin is None else {"margin within which tracks tie": verdict.margin}
    worth = verdict.value_of_perfect_information
    gaps |= {} if worth is None else {"worth of knowing which is best": worth}
    for name, gap in gaps.items():
        unit = names.money_unit([gap], verdict.currency)
        figures[f"verdict/{name} in {unit.words} a year"] = gap * unit.factor
    return figures


def _percent(probability: float | None) -> float | None:
    return None if probability is None else probability * 100


def _words(answer: str | bool | None) -> str:
    if answer is None:
        return "cannot be told"
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return answer
