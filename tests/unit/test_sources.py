"""Where the numbers of the economics are from: in the file, in the list of constants, in the report."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from toolkit.analysis.inputs import draw_inputs
from toolkit.analysis.price_list import price_list
from toolkit.analysis.pricing import declared_inputs
from toolkit.analysis.stops.terms import changed, terms_of
from toolkit.business import Economics
from toolkit.report.price_rows import origins_told, told_once
from toolkit.report.sections.constants import ConstantsSection
from toolkit.report.sections.economics import EconomicsSection
from toolkit.reprice import new_prices
from toolkit.sources import Origin, given_keys, given_numbers, origin_in

BARE: dict[str, Any] = {"value": {"true_positive": 2, "false_positive": -1}, "volume_per_year": [1, 2, 3]}
HOURS = {"rules": {"features": 3, "rules": [1, 2, 3]}, "neural": {"build": 5}}
DEFAULT = "our default; say otherwise in the experiment file"


def declare(**more: Any) -> Economics:
    return Economics.model_validate({**BARE, **more})


def rows(economics: Economics, tracks: tuple[str, ...] = ("rules", "neural")) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in price_list(draw_inputs(economics, tracks)) if "key" in row}


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("written", "source", "basis"),
    [
        ("our controller, budget of 2026", "our controller, budget of 2026", "declared"),
        ("assumption: a sixth of the margin", "a sixth of the margin", "assumed"),
        ("Assumed, as nobody\n  knows", "as nobody knows", "assumed"),
        ("assumption", "no reason given", "assumed"),
        ("assumptions of our controller", "assumptions of our controller", "declared"),
    ],
)
def test_a_text_is_a_source_or_an_assumption(written, source, basis) -> None:
    assert declare(sources={"value": written}).sources["value"] == Origin(source=source, basis=basis)


@pytest.mark.parametrize("date", ["2024", "2024-05", "2024-12-31", 2024])
def test_a_source_has_a_date_and_a_basis(date) -> None:
    one = declare(sources={"value": {"source": "BLS", "date": date, "basis": "published"}}).sources["value"]
    assert (one.source, one.date, one.basis) == ("BLS", str(date), "published")


@pytest.mark.parametrize("basis", [{}, {"basis": "assumed"}])
def test_an_assumption_in_a_mapping_is_one(basis) -> None:
    found = declare(sources={"value": {"source": "assumed: a sixth", **basis}}).sources["value"]
    assert found == Origin(source="a sixth", basis="assumed")


@pytest.mark.parametrize("basis", ["declared", "published"])
def test_an_assumption_of_another_basis_contradicts_itself(basis) -> None:
    said = f"'assumed:' is an assumption, got basis: {basis}; leave basis out, say basis: assumed"
    with pytest.raises(ValidationError, match=said):
        declare(sources={"value": {"source": "assumed: QQ", "date": 2024, "basis": basis}})


@pytest.mark.parametrize(
    ("date", "is_past"),
    [
        ("2024", True),
        ("2025", False),
        ("2024-05", True),
        ("2024-06", False),
        ("2024-05-17", True),
        ("2024-05-18", False),
    ],
)
def test_what_is_published_is_not_of_the_future(monkeypatch, date, is_past) -> None:
    monkeypatch.setattr("toolkit.sources._today", lambda: dt.date(2024, 5, 17))
    source = {"source": "BLS", "date": date, "basis": "published"}
    if is_past:
        assert declare(sources={"value": source}).sources["value"].date == date
    else:
        with pytest.raises(ValidationError, match=f"got date: {date} and today is 2024-05-17"):
            declare(sources={"value": source})
    assert declare(sources={"value": {**source, "basis": "declared"}}).sources["value"].date == date


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "  \n",
        None,
        3,
        True,
        ["BLS"],
        {},
        {"source": ""},
        {"date": "2024"},
        {"source": "x" * 501},
        {"source": "BLS", "basis": "published"},
        {"source": "BLS", "date": "2094-02", "basis": "published"},
        {"source": "BLS", "basis": "guessed"},
        {"source": "BLS", "date": "2024-13"},
        {"source": "BLS", "date": "2024-02-30"},
        {"source": "BLS", "date": "2024-5"},
        {"source": "BLS", "date": "20240531"},
        {"source": "BLS", "date": "May 2024"},
        {"source": "BLS", "date": "2024-05-1"},
        {"source": "BLS", "date": True},
        {"source": "BLS", "url": "x"},
        {"true_positive": "BLS"},
    ],
)
def test_what_is_no_source_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        declare(sources={"value": wrong})


def test_keys_are_those_that_were_given() -> None:
    economics = declare(hours=HOURS, margin=None, sources={"hours": "x"})
    assert list(given_keys(economics)) == [
        "value",
        "value.true_positive",
        "value.false_positive",
        "volume_per_year",
        "hours",
        "hours.rules",
        "hours.rules.features",
        "hours.rules.rules",
        "hours.neural",
        "hours.neural.build",
        "margin",
    ]
    assert given_numbers(economics) == (
        "value.true_positive",
        "value.false_positive",
        "volume_per_year",
        "hours.rules.features",
        "hours.rules.rules",
        "hours.neural.build",
    )


KEY = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4).map(".".join)


@given(st.dictionaries(KEY, st.integers()), KEY)
def test_the_nearest_group_with_a_source_counts(sources, key) -> None:
    holding = [one for one in sources if f"{key}.".startswith(f"{one}.")]
    assert origin_in(sources, key) == (sources[max(holding, key=len)] if holding else None)


def test_a_row_tells_its_source_that_there_is_none_or_that_it_is_our_default() -> None:
    economics = declare(
        hours=HOURS,
        wage_per_hour=50,
        sources={
            "hours": "assumed: guesses",
            "hours.rules.rules": "the expert",
            "wage_per_hour": {"source": "BLS", "date": 2024, "basis": "published"},
        },
    )
    found = {key: (row["basis"], row["source"], row["date"]) for key, row in rows(economics).items()}
    assert found["hours.neural.build"] == ("assumed", "guesses", "")
    assert found["hours.rules.rules"] == ("declared", "the expert", "")
    assert found["wage_per_hour"] == ("published", "BLS", "2024")
    assert found["volume_per_year"] == ("declared", "no source given", "")
    assert found["retrains_per_year"] == found["hours.rules.per_year"] == ("assumed", DEFAULT, "")


def test_every_number_that_was_given_and_counts_has_a_row() -> None:
    more = {
        "currency": "EUR",
        "currency_per_usd": 0.9,
        "serving": "single",
        "always_on_vcpus": 1,
        "retrains_per_year": 2,
        "horizon_years": 2,
        "wage_per_hour": 50,
        "hours": HOURS,
        "price_per_label": 1,
        "own_hardware": {
            "usd_per_hour": 1,
            "vcpus": 4,
            "memory_gb": 16,
            "idle_watts": 1,
            "max_watts": 4,
            "utilisation": 0.4,
        },
        "speed": 2,
        "price_per_kwh": 0.3,
        "pue": 1.3,
        "carbon_price_per_tonne": 80,
        "margin": 5,
    }
    economics = declare(**more)
    sizes = {"own_hardware.vcpus", "own_hardware.memory_gb"}  # of the machine, in its price a vCPU
    assert set(given_numbers(economics)) - sizes <= set(rows(economics))


def test_a_machine_of_ones_own_has_the_sources_of_the_file() -> None:
    own = {"usd_per_hour": 1, "vcpus": 4, "memory_gb": 16, "idle_watts": 1, "max_watts": 4}
    economics = declare(own_hardware=own, sources={"own_hardware": "the invoice"})
    found = rows(economics)
    assert found["own_hardware.usd_per_hour"]["source"] == "the invoice"
    assert found["own_hardware.idle_watts"]["basis"] == "declared"
    assert found["own_hardware.utilisation"]["source"] == DEFAULT


def test_hours_of_a_knowledge_base_have_it_as_their_source(declare_experiment) -> None:
    experiment = declare_experiment(["rules", "hybrid"], hours={"hybrid": {"build": 3}})
    base = {"name": "grocery", "authoring_hours": 7, "tracks": ["rules", "hybrid"], "rules": []}
    listed = price_list(declared_inputs(experiment, ["rules", "hybrid"], [], [base]))
    found = {row["key"]: row["source"] for row in listed if "key" in row}
    assert found["hours.rules.build"] == "authoring hours of the knowledge base grocery"
    assert found["hours.hybrid.build"] == "no source given"


def test_a_source_changes_no_answer(declare_experiment) -> None:
    def terms(**economics: Any) -> dict[str, str]:
        return terms_of(draw_inputs(declare_experiment(["rules"], **economics).economics, ["rules"]))

    own = {"usd_per_hour": 1, "vcpus": 4, "memory_gb": 16, "idle_watts": 1, "max_watts": 4}
    assert terms(sources={"value": "x"}) == terms(sources={"value": "assumed: y"}) == terms()
    assert terms(own_hardware=own, sources={"own_hardware": "x"}) == terms(own_hardware=own)
    assert changed(terms(wage_per_hour=1, sources={"wage_per_hour": "x"}), terms()) == ("wage_per_hour",)


def test_what_the_command_changes_has_the_command_as_its_source(declare_experiment) -> None:
    own = {"usd_per_hour": 1, "vcpus": 4, "memory_gb": 16, "idle_watts": 1, "max_watts": 4}
    experiment = declare_experiment(
        ["rules"],
        wage_per_hour=50,
        own_hardware=own,
        speed=2,
        price_per_kwh=0.3,
        sources=dict.fromkeys(
            ("wage_per_hour", "volume_per_year", "own_hardware.max_watts", "speed", "price_per_kwh", "value"),
            "the file's",
        ),
    )
    given = {"--volume": "2e6", "--hardware": "own-server", "--country": "PL"}
    economics = new_prices(experiment, given).economics
    assert {key: origin.source for key, origin in economics.sources.items()} == {
        "wage_per_hour": "the file's",
        "value": "the file's",
        "volume_per_year": "the command (--volume)",
        "hardware": "the command (--hardware)",
        "country": "the command (--country)",
    }
    assert economics.unfit_source(["rules"]) is None
    found = rows(economics, ("rules",))
    assert found["volume_per_year"]["source"] == "the command (--volume)"
    assert found["speed"]["source"] == found["pue"]["source"] == DEFAULT
    assert experiment.economics.sources["volume_per_year"].source == "the file's"


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        (
            {"hours": "assumed: x", "value": {"source": "s", "date": 2024, "basis": "published"}},
            "Of 19 numbers and choices of the business: 2 published, 3 assumed for a reason that is told, "
            "13 left at our default, 1 declared with no source given (decisions).",
        ),
        (
            {"hours": "x", "value": "x", "volume_per_year": "x"},
            "Of 19 numbers and choices of the business: 6 declared with a source, 13 left at our default, "
            "0 declared with no source given.",
        ),
    ],
)
def test_it_is_told_how_many_numbers_have_a_source(sources, sentence) -> None:
    assert origins_told(rows(declare(hours=HOURS, sources=sources)).values()) == sentence


def test_old_results_tell_no_number() -> None:
    assert origins_told([{"name": "wage", "source": "experiment file", "basis": "declared"}]) == ""


def test_a_long_source_is_not_repeated_from_row_to_row() -> None:
    long = "x" * 60
    assert told_once([long, long, "short", "short", long]) == [long, "as above", "short", "short", long]


def test_the_report_shows_the_source_beside_each_value(made_up_results: ModuleType) -> None:
    golden = made_up_results.golden()
    economics = {**golden.experiment["economics"]}
    economics["sources"] = {"margin": {"source": "the <b>board</b>", "date": "2026", "basis": "declared"}}
    listed = [
        {**price, "source": "BLS", "date": "2024", "basis": "published"}
        if price.get("key") == "wage_per_hour"
        else price
        for price in golden.prices
    ]
    results = replace(
        golden,
        prices=tuple(listed),
        experiment={**golden.experiment, "economics": {**economics, "margin": 5}},
    )
    html = EconomicsSection().render(results)
    assert "<b>board" not in html
    told = text_of(html)
    assert "wage per hour 60 published BLS, 2024" in told
    assert "margin 5 declared the &lt;b&gt;board&lt;/b&gt;, 2026" in told, "of what no figure rests on, too"
    assert "sources" not in told.lower()
    assert "wage 60 USD an hour published BLS 2024" in text_of(ConstantsSection().render(results))
