"""What was spent, made up: readings, energy, three machines (one cannot be converted), a second opinion."""

from __future__ import annotations

from toolkit.analysis.results import RungSummary
from toolkit.analysis.spending import (
    CostReadings,
    Footprint,
    MachineUsed,
    SecondOpinion,
    Spending,
    Spread,
    TrainingPrice,
)

from .shared import HOSTILE
from .summaries import summaries

ENTERING = (("baseline", 0), ("rules", 4), ("classical", 5), ("neural", 5), ("hybrid", 4))
READ = (
    "cost_load_cpu_seconds",
    "cost_search_cpu_seconds",
    "cost_fit_cpu_seconds",
    "cost_predict_batch_cpu_seconds_per_row",
    "cost_predict_single_cpu_seconds",
)
COEFFICIENTS = (
    "CPU time × watts of a vCPU of the profile cloud-vcpu, low, middle and high (Cloud Carbon Footprint)"
)
WATTS = (1.4, 3.9, 8.2)
MONEY_A_SECOND = 2.5e-5
KG_PER_JOULE = 0.369 / 3.6e6


def spending() -> Spending:
    entering = [one for one in summaries() if (one.track, one.rung) in ENTERING]
    return Spending(
        readings=tuple(readings(one, cost) for one in entering for cost in READ if one.costs.get(cost)),
        footprints=tuple(one for summary in entering for one in footprints(summary)),
        machines=(
            MachineUsed(
                "made-up CPU, 2 cores", 71, Spread(1, 1, 1), True, {"python": 0.0101, "matmul": 0.0098}
            ),
            MachineUsed(
                "older made-up CPU, 8 cores",
                9,
                Spread(0.61, 0.74, 0.88),
                False,
                {"python": 0.0166, "matmul": 0.0111},
            ),
            MachineUsed(f"CPU {HOSTILE}, 4 cores", 2, None, False),
        ),
        second_opinion=SecondOpinion("codecarbon", 71, Spread(5_200.0, 14_500.0, 30_500.0), 104_000.0),
        metered_share=0.714,
        withheld={
            "neural": {"cost_predict_single_p99_seconds": "1,000 calls did not fit into 1 s"},
            "hybrid": {
                "cost_predict_single_p99_seconds": "1,000 calls did not fit into 1 s",
                "cost_fit_flop": f"not counted: {HOSTILE}",
            },
        },
        training_prices=tuple(price(one) for one in summaries() if one.costs.get("cost_fit_cpu_seconds")),
    )


def readings(summary: RungSummary, cost: str) -> CostReadings:
    median = summary.costs[cost] or 0.0
    repeated = summary.track in ("classical", "neural")
    n = 6 if repeated else summary.n_seeds
    n_clean = {"neural": 5, "hybrid": 0}.get(summary.track, n)
    spread = (0.45 if cost == READ[0] else 0.081) if repeated else None
    reach = 0.1 if n > 1 else 0.0
    return CostReadings(
        summary.track,
        summary.rung,
        cost,
        n,
        n_clean,
        median,
        median * (1 - reach),
        median * (1 + 2 * reach),
        spread,
    )


def footprints(summary: RungSummary) -> list[Footprint]:
    costs = {key: value or 0.0 for key, value in summary.costs.items()}
    training = costs.get("cost_load_cpu_seconds", 0.0) + costs["cost_fit_cpu_seconds"]
    million = 1e6 * costs["cost_predict_batch_cpu_seconds_per_row"]
    work = {
        "search": costs["cost_search_cpu_seconds"],
        "training": training,
        "million_predictions": million,
        "year": costs["cost_search_cpu_seconds"] / 3 + 52 * training + 5_000 * million,
    }
    return [footprint(summary, name, seconds) for name, seconds in work.items() if seconds]


def footprint(summary: RungSummary, work: str, seconds: float) -> Footprint:
    if summary.track == "classical" and work == "training":
        watts, basis, source = (5.31,) * 3, "measured", "the counter of the whole processor (RAPL)"
    else:
        idle = 1.6 if work == "year" else 1.0
        watts, basis, source = tuple(idle * one for one in WATTS), "modelled", COEFFICIENTS
    # Held memory makes one track's middle stand above that of a track with a little more CPU time.
    factor = 1.4 if summary.track == "neural" else 1.0
    energy = Spread(*(one * seconds * factor for one in watts))
    return Footprint(
        summary.track,
        summary.rung,
        work,  # type: ignore[arg-type]
        seconds,
        energy,
        Spread(*(end * KG_PER_JOULE for end in energy)),
        basis,  # type: ignore[arg-type]
        source,
    )


def price(one: RungSummary, on_accelerator: bool = False) -> TrainingPrice:
    """Return what search and fit of a rung cost; on an accelerator, not in proportion to their seconds."""
    seconds = sum(one.costs.get(f"cost_{phase}_cpu_seconds") or 0.0 for phase in ("search", "fit"))
    paid = 40.0 + seconds / 90 if on_accelerator else seconds
    joules = Spread(*(paid * each for each in WATTS))
    return TrainingPrice(
        one.track,
        one.rung,
        seconds,
        paid * MONEY_A_SECOND,
        joules,
        Spread(*(each * KG_PER_JOULE for each in joules)),
        on_accelerator,
    )
