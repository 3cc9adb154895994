from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolkit import prices, scores
from toolkit.amounts import Range
from toolkit.analysis.analyse import analyse
from toolkit.analysis.choices import choices_of
from toolkit.analysis.decisions import draw_outcomes, value_rung
from toolkit.analysis.draws import draw_band, mean_of
from toolkit.analysis.economics import draw_interval, price_rung
from toolkit.analysis.inputs import draw_inputs
from toolkit.analysis.price_list import price_list
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.stacks import stack_evidence
from toolkit.analysis.validation import validate
from toolkit.errors import ConfigError
from toolkit.records import N_BINS, N_VALID_GROUPS


def valued(stack, experiment):
    shared = draw_outcomes(experiment.economics.value, list(stack.seeds), stack.n_clusters)
    seen = validate(dict(zip(stack.seeds, stack.evidence, strict=True)), shared.values[0])
    return value_rung(choices_of(stack), seen, shared)


def priced(cells, evidence, experiment, key=("classical", 0)):
    stacks, _ = stack_evidence(evidence)
    stack = stacks[key]
    inputs = draw_inputs(experiment.economics, list(experiment.tracks))
    decision = valued(stack, experiment)
    here = [cell for cell in cells if (cell.track, cell.rung) == key]
    return price_rung(decision, RungReadings(here), inputs), inputs, stack


def test_gross_value_is_that_of_the_test_rows_at_the_validation_threshold(
    truth, draw_world, declare_experiment
) -> None:
    cells, evidence = draw_world({"rules": truth(0.8)})
    experiment = declare_experiment(["rules"])
    one, _, stack = priced(cells, evidence, experiment, ("rules", 0))
    held = stack.evidence[0]
    valid = scores.confusion(held.valid_positives.sum(axis=0), held.valid_negatives.sum(axis=0))
    best = int(np.argmax(10 * valid.true_positive - 3 * valid.false_positive))
    test = scores.confusion(*scores.pooled_counts(held))
    rows = held.cluster_rows.sum()
    by_hand = 1e6 * (10 * test.true_positive[best] - 3 * test.false_positive[best]) / rows
    assert one.gross[0] == pytest.approx(by_hand)
    assert one.threshold == pytest.approx(scores.bin_edges()[best])


def test_the_threshold_is_near_what_theory_says_for_a_calibrated_track(
    truth, draw_world, declare_experiment
) -> None:
    cells, evidence = draw_world({"rules": truth(1.0)}, n_clusters=800)
    one, _, _ = priced(cells, evidence, declare_experiment(["rules"]), ("rules", 0))
    # Say yes where 10 p - 3 (1 - p) > 0.
    assert one.threshold == pytest.approx(3 / 13, abs=0.06)


def test_costs_of_a_year_by_hand(truth, draw_world, declare_experiment) -> None:
    costs = {
        "cost_load_cpu_seconds": 2.0,
        "cost_fit_cpu_seconds": 100.0,
        "cost_search_cpu_seconds": 50.0,
        "cost_predict_batch_cpu_seconds_per_row": 1e-3,
    }
    cells, evidence = draw_world({"rules": truth(0.8, costs=costs)})
    experiment = declare_experiment(
        ["rules"],
        retrains_per_year=12,
        horizon_years=4,
        wage_per_hour=50,
        hours={"rules": {"build": 80, "per_year": 10}},
    )
    one, inputs, _ = priced(cells, evidence, experiment, ("rules", 0))
    second = prices.hardware("cloud-vcpu").usd_per_cpu_second * np.exp(0.1**2 / 2)
    assert one.costs["people_build"][0] == pytest.approx(80 * 50 / 4)
    assert one.costs["people_upkeep"][0] == pytest.approx(500)
    assert one.costs["retraining"][0] == pytest.approx(12 * 102 * second)
    assert one.costs["search"][0] == pytest.approx(50 / 4 * second)
    assert one.costs["prediction"][0] == pytest.approx(1e6 * 1e-3 * second)
    work = one.costs["retraining"][0] + one.costs["search"][0] + one.costs["prediction"][0]
    assert one.costs["idle_capacity"][0] == pytest.approx(work * (1 / inputs.hardware.utilisation - 1))
    assert one.costs["carbon"][0] == 0
    assert "electricity" not in one.costs
    assert one.net[0] == pytest.approx(one.gross[0] - sum(cost[0] for cost in one.costs.values()))


def test_half_of_the_rules_cost_half_of_the_declared_hours(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.8)})
    hours = {"rules": {"build": 80, "per_year": 10}}
    experiment = declare_experiment(["rules"], horizon_years=4, wage_per_hour=50, hours=hours)
    stacks, _ = stack_evidence(evidence)
    stack = stacks["rules", 0]
    inputs = draw_inputs(experiment.economics, ["rules"], n_rules={"rules": 20})
    decision = valued(stack, experiment)
    half = [cell.model_copy(update={"n_rules": 10}) for cell in cells]
    costs = price_rung(decision, RungReadings(half), inputs).costs
    assert costs["people_build"][0] == pytest.approx(80 * 50 / 4 / 2)
    assert costs["people_upkeep"][0] == pytest.approx(250)


@pytest.mark.parametrize(
    ("knowledge", "declared", "share"),
    [
        ([], {}, 1.0),
        ([{"tracks": ["rules"], "name": "demo", "rules": [{}] * 20}], {}, 0.25),
        ([{"tracks": ["other"], "name": "demo", "rules": [{}] * 20}], {}, 1.0),
        ([{"tracks": ["rules"], "name": "demo", "rules": [{}] * 20}], {"n_rules": 10}, 0.5),
    ],
)
def test_full_effort_is_that_of_the_knowledge_and_not_what_happened_to_run(
    truth, draw_world, declare_experiment, knowledge, declared, share
) -> None:
    cells, evidence = draw_world({"rules": truth(0.8)})
    experiment = declare_experiment(
        ["rules"], horizon_years=1, wage_per_hour=50, hours={"rules": {"build": 80}}
    )
    experiment = experiment.model_copy(update={"tracks": {"rules": declared}})
    results = analyse(experiment, task={}, cells=cells, evidence=evidence, knowledge=knowledge)
    (track,) = results.verdict.tracks
    assert cells[0].n_rules == 5
    assert track.yearly_costs["people_build"] == pytest.approx(80 * 50 * share)


def test_hours_that_only_the_knowledge_base_declares_are_paid(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.8), "hybrid": truth(0.9)})
    experiment = declare_experiment(
        ["rules", "hybrid"], horizon_years=2, wage_per_hour=50, hours={"hybrid": {"build": 30}}
    )
    base = {"tracks": ["rules", "hybrid"], "name": "demo", "authoring_hours": 24.0, "rules": []}
    results = analyse(experiment, task={}, cells=cells, evidence=evidence, knowledge=[base])
    build = {one.track: one.yearly_costs["people_build"] for one in results.verdict.tracks}
    assert build == {"rules": pytest.approx(24 * 50 / 2), "hybrid": pytest.approx(30 * 50 / 2)}


def test_search_is_paid_at_every_retrain_only_when_asked(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.8)})
    economics = {"retrains_per_year": 52, "horizon_years": 2}
    once, _, _ = priced(cells, evidence, declare_experiment(["rules"], **economics), ("rules", 0))
    always, _, _ = priced(
        cells,
        evidence,
        declare_experiment(["rules"], **economics, search_each_retrain=True),
        ("rules", 0),
    )
    assert always.costs["search"][0] == pytest.approx(52 * 2 * once.costs["search"][0])


def test_own_hardware_pays_for_electricity_and_carbon_has_a_price(
    truth, draw_world, declare_experiment
) -> None:
    cells, evidence = draw_world({"rules": truth(0.8, cpu_seconds=1e5)})
    experiment = declare_experiment(
        ["rules"], hardware="own-server", country="PL", carbon_price_per_tonne=100, pue=1.5
    )
    one, inputs, _ = priced(cells, evidence, experiment, ("rules", 0))
    kwh = one.costs["electricity"][0] / inputs.price_per_kwh[0]
    assert kwh > 0
    assert one.costs["carbon"][0] == pytest.approx(kwh * prices.grid("PL").g_co2e_per_kwh / 1000 * 0.1)


def test_another_currency_scales_prices_of_machines_only(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.8)})
    dollars, _, _ = priced(cells, evidence, declare_experiment(["rules"]), ("rules", 0))
    francs, _, _ = priced(
        cells, evidence, declare_experiment(["rules"], currency="CHF", currency_per_usd=0.5), ("rules", 0)
    )
    assert francs.gross[0] == dollars.gross[0]
    assert francs.costs["prediction"][0] == pytest.approx(0.5 * dollars.costs["prediction"][0])


def test_declared_ranges_widen_the_interval_around_the_same_middle(
    truth, draw_world, declare_experiment
) -> None:
    cells, evidence = draw_world({"classical": truth(0.9, gain=0.1)}, rungs=1)
    sure, _, _ = priced(cells, evidence, declare_experiment(["classical"]))
    unsure, _, _ = priced(
        cells, evidence, declare_experiment(["classical"], volume_per_year=[0.5e6, 1e6, 1.5e6])
    )
    narrow, wide = draw_interval(sure.net), draw_interval(unsure.net)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert wide.estimate == pytest.approx(narrow.estimate)
    assert narrow.low < narrow.estimate < narrow.high


def test_seeds_that_differ_widen_the_interval(truth, draw_world, declare_experiment) -> None:
    experiment = declare_experiment(["classical"])
    widths = []
    for noise in (0.0, 0.3):
        world = draw_world({"classical": truth(0.8, gain=0.1, seed_noise=noise)}, rungs=1)
        one = draw_interval(priced(*world, experiment)[0].net)
        widths.append(one.high - one.low)
    assert widths[1] > 1.5 * widths[0]


def test_the_interval_covers_the_value_on_fresh_rows(truth, draw_world, declare_experiment) -> None:
    """Draw the business again and again: the interval holds the long-run value about as often as it says."""
    experiment = declare_experiment(["rules"])
    ones = [
        priced(*draw_world({"rules": truth(0.8)}, n_clusters=60, draw_seed=seed), experiment, ("rules", 0))[0]
        for seed in range(40)
    ]
    long_run = np.mean([one.gross[0] for one in ones])
    hits = sum(
        interval.low <= long_run <= interval.high for interval in (draw_interval(one.gross) for one in ones)
    )
    assert hits >= 34


def test_without_validation_rows_the_rung_has_no_validation_value(
    truth, draw_world, declare_experiment
) -> None:
    cells, evidence = draw_world({"rules": truth(0.8)})
    nothing = np.zeros((N_VALID_GROUPS, N_BINS), dtype=np.int64)
    bare = {
        key: replace(one, valid_positives=nothing, valid_negatives=nothing) for key, one in evidence.items()
    }
    one, _, _ = priced(cells, bare, declare_experiment(["rules"]), ("rules", 0))
    assert one.validation_value is None
    assert one.threshold == pytest.approx(0.5)


def test_unknown_hardware_is_a_user_error(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.8)})
    with pytest.raises(ConfigError, match="cloud-vcpu"):
        priced(cells, evidence, declare_experiment(["rules"], hardware="cloud-vcpus"), ("rules", 0))


def test_draws_of_declared_ranges_have_the_mean_that_is_used(declare_experiment) -> None:
    experiment = declare_experiment(
        ["a", "b"], wage_per_hour=[20, 60, 160], hours={"a": {"build": [1, 2, 9]}}
    )
    inputs = draw_inputs(experiment.economics, ["a", "b"])
    assert inputs.wage[0] == pytest.approx(mean_of(Range(low=20, likely=60, high=160))) == 70
    assert inputs.wage[1:].mean() == pytest.approx(70, rel=0.03)
    assert inputs.wage[1:].min() >= 20
    assert inputs.wage[1:].max() <= 160
    assert inputs.hours_build["a"]["build"][1:].std() > 0
    assert (inputs.hours_build["b"]["build"] == 0).all()


def test_work_is_divided_by_speed_with_the_mean_of_the_draws(declare_experiment) -> None:
    inputs = draw_inputs(declare_experiment(["a"], speed=[0.5, 1, 4]).economics, ["a"])
    assert 1 / inputs.speed[0] == pytest.approx((1 / inputs.speed[1:]).mean())
    assert inputs.speed[0] < inputs.speed[1:].mean()
    assert (draw_inputs(declare_experiment(["a"], speed=3).economics, ["a"]).speed == 3).all()


@pytest.mark.parametrize("name", ["energy_place", "accelerator_place"])
@pytest.mark.parametrize("log", [True, False])
def test_bands_count_with_the_mean_of_their_draws(declare_experiment, name, log) -> None:
    inputs = draw_inputs(declare_experiment(["a"]).economics, ["a"])
    band = draw_band((1.0, 2.0, 30.0), getattr(inputs, name), log=log)
    assert band[0] == pytest.approx(band[1:].mean())
    assert band[0] > 1.5 * 2.0
    assert (band >= 1).all()
    assert (band <= 30).all()


def test_the_mean_of_every_cost_is_that_of_its_draws(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.8, cpu_seconds=1e5)})
    own = {
        "usd_per_hour": 1.0,
        "vcpus": 2,
        "memory_gb": 8.0,
        "idle_watts": [1, 2, 9],
        "max_watts": [3, 9, 40],
    }
    economics = {"own_hardware": own, "speed": [0.5, 1, 4], "carbon_price_per_tonne": [50, 80, 300]}
    one, _, _ = priced(cells, evidence, declare_experiment(["rules"], **economics), ("rules", 0))
    for name in ("retraining", "prediction", "idle_capacity", "electricity", "carbon"):
        cost = one.costs[name]
        assert cost[0] > 0
        assert cost[0] == pytest.approx(cost[1:].mean(), rel=0.03), name


def test_every_training_starts_a_process(truth, draw_world, declare_experiment) -> None:
    experiment = declare_experiment(["rules"], retrains_per_year=12, search_each_retrain=True)
    costs = {}
    for name, starting in (("bare", None), ("starting", 3.0)):
        world = draw_world({"rules": truth(0.8, costs={"cost_import_cpu_seconds": starting})})
        costs[name] = priced(*world, experiment, ("rules", 0))[0].costs
    second = prices.hardware("cloud-vcpu").usd_per_cpu_second * np.exp(0.1**2 / 2)
    more = {name: costs["starting"][name][0] - costs["bare"][name][0] for name in costs["bare"]}
    assert more["retraining"] == pytest.approx(12 * 3 * second)
    assert more["search"] == more["prediction"] == 0


@pytest.mark.parametrize("serving", ["batch", "single"])
def test_a_vcpu_that_is_always_on_is_paid_all_year(truth, draw_world, declare_experiment, serving) -> None:
    costs = {"cost_predict_single_cpu_seconds": 1e-3, "cost_fit_cpu_seconds": 0.0}
    world = draw_world({"rules": truth(0.8, costs=costs)})

    def paid(**economics):
        experiment = declare_experiment(["rules"], serving=serving, **economics)
        return priced(*world, experiment, ("rules", 0))[0].costs

    def year(found):
        return found["prediction"][0] + found["idle_capacity"][0]

    shared, waiting = paid(), paid(always_on_vcpus=1.0)
    assert waiting["prediction"] == pytest.approx(shared["prediction"])
    if serving == "batch":
        assert waiting["idle_capacity"] == pytest.approx(shared["idle_capacity"])
        return
    assert year(shared) < 0.1
    assert year(waiting) == pytest.approx(8760 * 0.048, rel=1e-3)
    # a busy endpoint needs no further idle time than its share of paid hours
    busy = {"volume_per_year": 1e12}
    assert paid(always_on_vcpus=1.0, **busy)["idle_capacity"] == pytest.approx(paid(**busy)["idle_capacity"])


def test_every_price_in_use_is_listed_with_its_origin(declare_experiment) -> None:
    cloud = price_list(draw_inputs(declare_experiment(["a"]).economics, ["a"]))
    own = price_list(draw_inputs(declare_experiment(["a"], hardware="own-server").economics, ["a"]))
    gpu = price_list(draw_inputs(declare_experiment(["a"], hardware="aws-g4dn.xlarge").economics, ["a"]))
    for row in (*cloud, *own, *gpu):
        assert set(row) - {"attribution", "key"} == {"name", "value", "unit", "source", "date", "basis"}
        assert row["basis"] in ("published", "assumed", "declared")
        assert row["source"]
    assert len(own) == len(cloud) + 1
    basis = {row["name"]: row["basis"] for row in cloud}
    assert basis["decisions"] == basis["value of a true positive"] == "declared"
    assert basis["exchange rate"] == basis["value of a true negative"] == "assumed", "nobody said so"
    assert [row["unit"] for row in cloud if "attribution" in row] == ["g CO2e a kWh"], "CC BY asks for it"


def test_what_a_machine_with_accelerators_draws_is_listed(declare_experiment) -> None:
    inputs = draw_inputs(declare_experiment(["a"], hardware="aws-p4d.24xlarge").economics, ["a"])
    machine, host = inputs.hardware, inputs.host
    rows = price_list(inputs)
    listed = {row["name"]: row["value"] for row in rows}
    assert len(listed) == len(rows), "names tell machine and host apart"
    for profile in (machine, host):
        values = [row["value"] for row in rows]
        assert list(profile.idle_watts) in values
        assert list(profile.max_watts) in values
    of_machine = [name for name in listed if "of the machine with 8 ×" in name]
    assert len(of_machine) == 4
    assert [0.05, 0.15, 0.3] in listed.values()
    assert {row["basis"] for row in rows if "stays on the processor" in row["name"]} == {"assumed"}


def test_labels_have_a_price_where_one_is_declared(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"classical": truth(0.9, gain=0.3)}, rungs=2)
    experiment = declare_experiment(["classical"], price_per_label=[0.5, 1, 1.5], horizon_years=4)
    one, _, _ = priced(cells, evidence, experiment, ("classical", 1))
    assert one.costs["labels"][0] == pytest.approx(2000 * 1.0 / 4)
    free, _, _ = priced(cells, evidence, declare_experiment(["classical"]), ("classical", 1))
    assert "labels" not in free.costs


def test_parts_of_the_hours_to_build_are_told_apart(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.8)})
    hours = {"rules": {"features": 10, "rules": 30, "per_year": 5}}
    experiment = declare_experiment(["rules"], hours=hours, wage_per_hour=40, horizon_years=2)
    one, _, _ = priced(cells, evidence, experiment, ("rules", 0))
    people = {name: cost[0] for name, cost in one.costs.items() if name.startswith("people")}
    assert people == {"people_features": 200.0, "people_rules": 600.0, "people_upkeep": 200.0}


def test_idle_capacity_has_carbon_and_electricity_too(truth, draw_world, declare_experiment) -> None:
    cells, evidence = draw_world({"rules": truth(0.8, cpu_seconds=1e5)})
    own = {"usd_per_hour": 1.0, "vcpus": 2, "memory_gb": 8.0, "idle_watts": 2, "max_watts": 6}
    joules = []
    for utilisation in (1.0, 0.5):
        experiment = declare_experiment(
            ["rules"], own_hardware={**own, "utilisation": utilisation}, price_per_kwh=0.3, pue=1.0
        )
        one, _, _ = priced(cells, evidence, experiment, ("rules", 0))
        joules.append(one.costs["electricity"][0] / 0.3 * prices.JOULES_PER_KWH)
    seconds = (1e5 + 1e5 / 3 + 1e5 + 0.1) * np.exp(0.1**2 / 2)
    idle = prices.idle_joules(seconds, prices.of(experiment.economics))
    assert joules[1] - joules[0] == pytest.approx(idle.mid, rel=1e-4)
