"""A knowledge base, and what it met when it was held against rows."""

from __future__ import annotations

from .shared import HOSTILE


def seen_rule(
    name: str, certainty: float, counts: int, data: tuple[float, float, float] | None, **more: object
) -> dict[str, object]:
    ends = None if data is None else dict(zip(("estimate", "low", "high"), data, strict=True))
    plain: dict[str, object] = {
        "id": name,
        "certainty": certainty,
        "n_fires": counts,
        "n_counts": counts,
        "n_clusters": counts // 100,
        "observed_rate": None if data is None else 0.1234,
        "expected_rate": None if data is None else 0.1012,
        "data": ends,
        "given_others": ends,
        "fires_on_dates": 0,
    }
    return {**plain, **more}


def against_rows() -> dict[str, object]:
    """What a sweep finds when it holds the rules against training rows."""
    raised = {
        "kind": "raised",
        "row": {"n182": 19, "gap_cv": 0.53063565, "category": HOSTILE, "due": None},
        "prior_probability": 0.6168,
        "probability": 0.7657,
        "contributions": [
            {
                "rule": "weekly_habit",
                "then": "buys",
                "certainty": "slightly",
                "log_odds": 0.22314,
                "because": HOSTILE,
            }
        ],
        "silenced": ["hostile"],
        "facts": [],
        "why_not": "one_off (does not buy, 0.9) would fire if n182 were 1 instead of 19",
    }
    silent = {**raised, "kind": "silent", "contributions": [], "silenced": [], "why_not": None}
    return {
        "n_rows": 248_928,
        "n_clusters": 1_867,
        "n_dates": 2,
        "observed_rate": 0.0945,
        "expected_rate": 0.105,
        "silent_share": 0.037,
        "rules": [
            seen_rule("weekly_habit", 0.95, 2_489, (0.226, 0.124, 0.316)),
            seen_rule("one_off", 0.9, 77_665, (-0.08, -0.126, -0.03), n_fires=80_000),
            seen_rule(HOSTILE, 0.6, 120, (1.0, 0.4, 1.0)),
            seen_rule("pay_day", 0.1, 124_451, (0.019, -0.029, 0.066), fires_on_dates=1),
            seen_rule("month_end", 0.2, 60_000, (0.1, -0.3, 0.45), fires_on_dates=4),
            seen_rule("holiday_cooking", 0.4, 0, None),
        ],
        "conflicts": [
            {
                "rule_for": "weekly_habit",
                "rule_against": HOSTILE,
                "n_rows": 1_312,
                "certainty": -0.25,
                "observed_rate": 0.21,
                "expected_rate": 0.24,
                "data": {"estimate": -0.15, "low": -0.22, "high": -0.08},
            }
        ],
        "examples": [raised, silent],
        "findings": [
            {
                "code": "fires-on-no-row",
                "severity": "warning",
                "sentence": "'holiday_cooking' fires on none of the 248,928 rows",
                "rules": ["holiday_cooking"],
                "witness": None,
                "where": "knowledge/retail.yaml:333:5",
            },
            {
                "code": "conflict",
                "severity": "info",
                "sentence": f"{HOSTILE} can contradict another",
                "rules": [],
                "witness": None,
                "where": None,
            },
            {"code": "gap-in-data", "severity": "info", "sentence": HOSTILE, "rules": [], "witness": None},
        ],
    }


def knowledge() -> dict[str, object]:
    return {
        "tracks": ["rules", "hybrid"],
        "name": "retail",
        "hash": "3fa0c1d2e4b5",
        "rules": [
            {
                "id": "weekly_habit",
                "when": "purchase_days_182 >= 20",
                "then": "buys",
                "certainty": "almost sure",
                "because": "Twenty weeks out of twenty-six is a habit & habits last.",
            },
            {
                "id": "one_off",
                "when": "purchase_days_182 == 1 and recency_days > 56",
                "then": "does not buy",
                "certainty": 0.9,
                "because": "Bought once and never again: a trial that failed.",
            },
            {"id": "hostile", "when": HOSTILE, "then": "buys", "certainty": "likely", "because": HOSTILE},
        ],
        "positive": "buys",
        "data": against_rows(),
    }
