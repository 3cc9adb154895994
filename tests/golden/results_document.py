"""The form of ``results.json`` of a comparison: what ``docs/results.schema.json`` is made from."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Number = float | None


class Open(BaseModel):
    """A part of the document: its keys are always there, and readers ignore those that they do not know."""

    model_config = ConfigDict(extra="allow", strict=True)


class Interval(Open):
    estimate: Number
    low: Number
    high: Number


class Band(Open):
    low: Number
    mid: Number
    high: Number


class Flip(Open):
    at: float
    best: str


class Assumption(Open):
    key: str
    title: str
    unit: str
    low: float
    likely: float
    high: float
    below: Flip | None
    above: Flip | None
    hair_below: Flip | None
    hair_above: Flip | None
    nearest: Flip | None
    factor: Number
    reach: float
    lowest: Number
    highest: Number
    within_range: bool


class Regime(Open):
    low: float
    high: float
    best: str


class Region(Open):
    volumes: list[float]
    hits: list[float]
    best: list[list[str]]
    tie: list[list[bool]]


class Sensitivity(Open):
    best: str
    fragile: list[str]
    assumptions: list[Assumption]
    volume: list[Regime]
    hit: list[Regime]
    deep: str | None
    deep_volume: Assumption | None
    deep_hit: Assumption | None
    deep_by_volume: list[Regime]
    deep_by_hit: list[Regime]
    region: Region | None


class RungStep(Open):
    track: str
    rung: int
    below: int
    gross: Interval
    cost: Interval
    net: Interval
    deployed: bool


class NextPoint(Open):
    track: str
    error: str
    now: float
    step: float
    times: Interval | None
    money: Interval | None
    why: str


class VerdictOfTrack(Open):
    rung: int
    net_value_per_year: Interval
    net_value_usd_per_year: Interval
    probability_best: Number
    regret_per_year: Number
    behind_leader_per_year: Interval | None
    yearly_costs: dict[str, float]
    gross_value_per_year: float
    excluded: str


class Verdict(Open):
    best: str | None
    use: str | None
    probability_best: Number
    too_close_to_call: bool | None
    deep_learning_worth_it: bool | None
    hybrid_worth_it: bool | None
    probability_deep_learning_worth_it: Number
    probability_hybrid_worth_it: Number
    probability_none_pays: Number
    value_of_perfect_information: Number
    sentence: str
    margin: Number
    currency: str
    currency_per_usd: float
    tracks: dict[str, VerdictOfTrack]


class Cell(Open):
    track: str
    rung: int
    n_train: int
    n_rules: int | None
    seed: int
    status: Literal["finished", "not_applicable", "failed", "killed", "timeout", "lost"]
    quality: Literal["clean", "contended", "too_short"] | None
    reason: str
    score_average_precision: Number
    score_roc_auc: Number
    error_log_loss: Number
    cost_search_cpu_seconds: Number
    cost_fit_cpu_seconds: Number
    cost_fit_wall_seconds: Number
    cost_fit_peak_bytes: Number
    cost_predict_batch_cpu_seconds_per_row: Number
    cost_predict_single_p50_seconds: Number


class Summary(Open):
    track: str
    rung: int
    n_train: int
    n_rules: int | None
    n_seeds: int
    scores: dict[str, Interval]
    costs: dict[str, Number]
    validation_value: Number
    net_value: Interval | None
    threshold: Number
    on_front: bool
    front_probability: Number


class Refusal(Open):
    code: str
    sentence: str


class Curve(Open):
    track: str
    error: str
    cost: str
    form: str
    exponent: Interval | None
    floor: Interval | None
    elasticity: Interval | None
    k_half: Interval | None
    k_half_excess: Interval | None
    loglog: dict[str, Any] | None
    forms: dict[str, float]
    held_out: dict[str, Any] | None
    refusals: list[Refusal]
    points: list[list[float]]
    rungs: list[int]
    grid_cost: list[float]
    grid_error: list[Number]
    grid_low: list[Number]
    grid_high: list[Number]


class Pair(Open):
    first: str
    second: str
    score: str
    difference: Interval
    verdict: Literal["better", "worse", "tie", "unclear"]
    p_holm: Number
    margin: Number


class Ranked(Open):
    score: str
    track: str
    probability_best: Number
    regret: Interval | None
    group: int


class Finding(Open):
    code: str
    severity: Literal["info", "warning", "error"]
    sentence: str


class Price(Open):
    name: str
    unit: str
    source: str
    date: str
    basis: Literal["published", "assumed", "declared"]


class Footprint(Open):
    track: str
    rung: int
    work: str
    joules: Band
    kg_co2e: Band
    basis: Literal["measured", "modelled"]


class Spending(Open):
    readings: list[dict[str, Any]]
    footprints: list[Footprint]
    machines: list[dict[str, Any]]
    withheld: dict[str, dict[str, str]]
    training_prices: list[dict[str, Any]]


class StopEarly(Open):
    stops: list[dict[str, Any]]
    replay: dict[str, Any]


class Document(Open):
    """results.json of a comparison; what the keys mean stands in docs/results-json.md."""

    schema_version: int
    experiment: dict[str, Any]
    task: dict[str, Any]
    verdict: Verdict
    cells: list[Cell]
    summaries: list[Summary]
    curves: list[Curve]
    pairs: list[Pair]
    ranking: list[Ranked]
    fronts: list[dict[str, Any]]
    equal_errors: list[dict[str, Any]]
    findings: list[Finding]
    labels_saved: list[dict[str, Any]]
    spending: Spending
    backtest: dict[str, Any]
    stop_early: StopEarly
    sensitivity: Sensitivity | None
    steps: list[RungStep]
    next_points: list[NextPoint]
    statements: list[dict[str, Any]]
    knowledge: list[dict[str, Any]]
    prices: list[Price]
    environment: dict[str, str]


def schema() -> str:
    """Return the JSON schema (draft 2020-12) as it stands in the docs."""
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Document.model_json_schema()}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
