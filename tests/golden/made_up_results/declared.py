"""What was declared: the experiment, the task and the prices."""

from __future__ import annotations


def experiment() -> dict[str, object]:
    return {
        "experiment": "retail",
        "description": "Who buys which product category in the next seven days, at one supermarket.",
        "task": {"name": "retail", "horizon_days": 7, "test_share": 0.5},
        "ladder": {"rungs": [{"share": 0.01, "cutoffs": 1}, {"share": 0.5, "cutoffs": 3}], "seeds": 3},
        "tracks": {"baseline": {}, "rules": {}, "classical": {}, "neural": {}, "hybrid": {}},
        "search": 1.0,
        "engine": {"kind": "local", "slots": 1, "timeout_seconds": 3600.0},
        "economics": {
            "currency": "USD",
            "currency_per_usd": 1.0,
            "value": {
                "true_positive": {"low": 0.9, "likely": 1.1, "high": 1.3},
                "false_positive": {"low": -0.1, "likely": -0.1, "high": -0.1},
                "true_negative": {"low": 0, "likely": 0, "high": 0},
                "false_negative": {"low": 0, "likely": 0, "high": 0},
            },
            "volume_per_year": {"low": 5.0e9, "likely": 5.0e9, "high": 5.0e9},
            "serving": "batch",
            "retrains_per_year": {"low": 52, "likely": 52, "high": 52},
            "search_each_retrain": False,
            "horizon_years": 3.0,
            "wage_per_hour": {"low": 60, "likely": 60, "high": 60},
            "hours": {
                "rules": {
                    "build": {"low": 24, "likely": 40, "high": 80},
                    "per_year": {"low": 24, "likely": 48, "high": 96},
                },
                "neural": {
                    "build": None,
                    "features": {"low": 40, "likely": 60, "high": 120},
                    "rules": None,
                    "modelling": {"low": 40, "likely": 100, "high": 200},
                    "per_year": {"low": 80, "likely": 160, "high": 320},
                },
            },
            "price_per_label": {"low": 0.01, "likely": 0.02, "high": 0.05},
            "hardware": "cloud-vcpu",
            "own_hardware": None,
            "speed": {"low": 1, "likely": 1, "high": 1},
            "country": "US",
            "price_per_kwh": None,
            "pue": 1.2,
            "carbon_price_per_tonne": {"low": 80, "likely": 80, "high": 80},
            "margin": None,
            "sources": {
                "wage_per_hour": {
                    "source": "made-up statistics of wages",
                    "date": "2025-05",
                    "basis": "published",
                },
                "value.true_positive": {"source": "a share of the margin", "date": "", "basis": "assumed"},
            },
        },
    }


def task() -> dict[str, object]:
    return {
        "name": "retail",
        "title": "Who buys what next week",
        "cluster": "household",
        "notices": [
            'The Python package says MIT and "simulated data … not for academic research".',
            "The R package of the same data says CC0.",
        ],
        "facts": {
            "test_rows": 327_775,
            "test_base_rate": 0.0968,
            "ceiling_of_recall": 0.84,
            "cut_offs": 26,
        },
        "primary_error": "error_log_loss",
    }


def prices() -> tuple[dict[str, object], ...]:
    return (
        {
            "name": "a general-purpose cloud vCPU",
            "value": 0.048,
            "unit": "USD a vCPU-hour",
            "source": "https://example.org/prices?a=1&b=2",
            "date": "2026-01-15",
            "basis": "published",
        },
        {
            "name": "power of a busy vCPU (low, mid, high)",
            "value": [1.69, 3.5, 4.48],
            "unit": "W",
            "source": "Cloud Carbon Footprint, ccf-coefficients",
            "date": "2026-03-09",
            "basis": "published",
        },
        {
            "name": "power of the building over that of the machines (PUE)",
            "value": 1.2,
            "unit": "ratio",
            "key": "pue",
            "source": "our default; say otherwise in the experiment file",
            "date": "",
            "basis": "assumed",
        },
        {
            "name": "carbon of electricity, United States",
            "value": 369.0,
            "unit": "g CO2e a kWh",
            "source": "Ember, Yearly Electricity Data, year 2023 (CC BY 4.0)",
            "attribution": "Carbon intensity: Ember, Yearly Electricity Data (CC BY 4.0), rounded",
            "date": "2024-06-20",
            "basis": "published",
        },
        {
            "name": "wage",
            "value": 60.0,
            "unit": "USD an hour",
            "key": "wage_per_hour",
            "source": "made-up statistics of wages",
            "date": "2025-05",
            "basis": "published",
        },
        {
            "name": "value of a true positive",
            "value": [0.9, 1.1, 1.3],
            "unit": "USD",
            "key": "value.true_positive",
            "source": "a share of the margin",
            "date": "",
            "basis": "assumed",
        },
        {
            "name": "decisions",
            "value": 5.0e9,
            "unit": "a year",
            "key": "volume_per_year",
            "source": "no source given",
            "date": "",
            "basis": "declared",
        },
    )


def accelerator() -> tuple[dict[str, object], ...]:
    """Return the lines of a machine with a GPU, and of the one that tracks without a net rent instead."""
    published = {"source": "https://example.org/gpus", "date": "2026-01-15", "basis": "published"}
    return (
        {"name": "a machine with one made-up GPU", "value": 1.006, "unit": "USD an hour", **published},
        {"name": "a vCPU without a GPU", "value": 0.048, "unit": "USD a vCPU-hour", **published},
        {"name": "peak of one made-up GPU, tf32", "value": 6.5e13, "unit": "FLOP a second", **published},
        {
            "name": "share of the peak that a net reaches",
            "value": [0.01, 0.1, 0.4],
            "unit": "share",
            "source": "our assumption",
            "date": "2026-01-15",
            "basis": "assumed",
        },
    )
