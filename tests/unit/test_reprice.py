from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import ConfigError
from toolkit.reprice import new_prices, priced_folder

OWN = {"usd_per_hour": 0.1, "vcpus": 4, "memory_gb": 16.0, "idle_watts": 1, "max_watts": 4}


def test_a_range_of_hundreds_is_one(declare_experiment) -> None:
    wage = new_prices(declare_experiment(["rules"]), {"--wage": "100,150,200"}).economics.wage_per_hour
    assert (wage.low, wage.likely, wage.high) == (100, 150, 200)


def test_options_take_the_place_of_what_the_file_says(declare_experiment) -> None:
    experiment = declare_experiment(["rules"], wage_per_hour=50, hardware="own-server")
    given = {
        "--hardware": "aws-g5.xlarge",
        "--country": "PL",
        "--price-kwh": "0.1,0.2,0.4",
        "--carbon-price": "80",
        "--volume": "2e6",
        "--retrains": "12",
        "--speed": "1.5",
        "--serving": "single",
        "--pue": "1.1",
    }
    changed = new_prices(experiment, given).economics
    assert (changed.hardware, changed.country, changed.serving) == ("aws-g5.xlarge", "PL", "single")
    assert changed.price_per_kwh is not None
    assert (changed.price_per_kwh.low, changed.price_per_kwh.likely, changed.price_per_kwh.high) == (
        0.1,
        0.2,
        0.4,
    )
    assert changed.volume_per_year.likely == 2e6
    assert changed.pue == 1.1
    assert changed.wage_per_hour.likely == 50
    assert changed.value == experiment.economics.value
    assert experiment.economics.hardware == "own-server"


def test_a_named_machine_takes_the_place_of_ones_own(declare_experiment) -> None:
    experiment = declare_experiment(["rules"], own_hardware=OWN)
    changed = new_prices(experiment, {"--hardware": "own-server"}).economics
    assert changed.own_hardware is None
    kept = new_prices(experiment, {"--volume": "1"}).economics
    assert kept.own_hardware == experiment.economics.own_hardware


def test_a_speed_belongs_to_its_machine(declare_experiment) -> None:
    experiment = declare_experiment(["rules"], hardware="own-server", speed=[1, 2, 3])

    def speed(**given: str) -> float:
        return new_prices(experiment, {f"--{key}": text for key, text in given.items()}).economics.speed.high

    assert speed(hardware="aws-g5.xlarge") == 1
    assert speed(hardware="aws-g5.xlarge", speed="1.5") == 1.5
    assert speed(hardware="own-server") == 3
    assert speed(country="PL") == 3
    own = declare_experiment(["rules"], own_hardware=OWN, speed=2)
    assert new_prices(own, {"--hardware": own.economics.hardware}).economics.speed.likely == 1


def test_a_price_of_electricity_belongs_to_its_country(declare_experiment) -> None:
    experiment = declare_experiment(["rules"], country="DE", price_per_kwh=0.3)

    def kwh(given: dict[str, str]) -> float | None:
        found = new_prices(experiment, given).economics.price_per_kwh
        return None if found is None else found.likely

    assert kwh({"--country": "PL"}) is None
    assert kwh({"--country": "PL", "--price-kwh": "0.2"}) == 0.2
    assert kwh({"--country": "DE"}) == 0.3
    assert kwh({"--hardware": "own-server"}) == 0.3


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"--hardware": "aws-g5.xlarg"}, "--hardware: .*did you mean 'aws-g5.xlarge'"),
        ({"--country": "pl"}, "--country: .*did you mean 'PL'"),
        ({"--volume": "many"}, "--volume: expected a number or low,likely,high, got 'many'"),
        ({"--volume": "1,2"}, "--volume: expected a number or low,likely,high, got '1,2'"),
        ({"--volume": "3,2,1"}, "--volume: a range is .* got 3,2,1"),
        ({"--volume": "-1"}, "--volume: must not be negative, got -1"),
        ({"--volume": "nan"}, "--volume: expected a finite number, got nan"),
        ({"--speed": "0"}, "--speed: must be above zero, got 0"),
        ({"--speed": "1e-300"}, "--speed: expected at least 1e-09, got 1e-300"),
        ({"--volume": "1e308"}, "--volume: expected at most 1e.20 in size, got 1e308"),
        ({"--pue": "1,2,3"}, "--pue: expected a number, got '1,2,3'"),
        ({"--pue": "0.5"}, "--pue: must be at least 1, got 0.5$"),
        ({"--serving": "both"}, "--serving: expected 'batch' or 'single', got both$"),
        ({"--volume": "3,2,1"}, "--volume: a range is low,likely,high in rising order, got 3,2,1$"),
        ({"--volume": "1,234,567"}, "one number or a range; write 1234567, or 1.0,234,567 for low,likely,h"),
        ({"--volume": "1,234"}, "got '1,234'; write 1234, or 1.234 with a decimal point"),
        ({"--volume": "1,234,567,890"}, "got '1,234,567,890'; without separators it is 1234567890"),
        ({"--pue": "1,234,567"}, "expected a number, got '1,234,567'; without separators it is 1234567"),
        ({"--price-kwh": "0,15"}, "got '0,15'; with a decimal point it is 0.15"),
        ({"--price-kwh": "0,150"}, "got '0,150'; with a decimal point it is 0.150"),
        ({"--wage": "5_0"}, "got '5_0'; without unit or separators"),
        ({"--volume": "5B"}, "got '5B'; write 5e9"),
        ({"--volume": "1.5 million"}, "got '1.5 million'; write 1.5e6"),
        ({"--wage": "60 USD"}, "got '60 USD'; without unit or separators, e.g. 1.10 or 5e9"),
        ({"--hardware": "toaster"}, r"--hardware: .*\(toolkit prices lists them\)$"),
        ({"--country": "XX"}, r"--country: .*; toolkit prices lists them\)$"),
        ({"--country": "germany"}, "--country: .*'germany'; did you mean 'DE'"),
        ({"--country": "United States"}, "--country: .*did you mean 'US'"),
    ],
)
def test_a_mistake_is_told_with_its_option(declare_experiment, given, sentence) -> None:
    with pytest.raises(ConfigError, match=sentence):
        new_prices(declare_experiment(["rules"]), given)


def test_a_range_of_hundreds_can_be_written(declare_experiment) -> None:
    changed = new_prices(declare_experiment(["rules"]), {"--volume": "1.0,234,567"}).economics
    assert (changed.volume_per_year.low, changed.volume_per_year.high) == (1, 567)


def test_each_choice_of_prices_has_a_folder_of_its_own(declare_experiment) -> None:
    experiment = declare_experiment(["rules"])

    def name(**given: str) -> str:
        options = {f"--{option.replace('_', '-')}": text for option, text in given.items()}
        folder = priced_folder(experiment, Path("mlruns"), options)
        assert folder.parent == Path("mlruns/reports/made_up/priced")
        return folder.name

    assert name(hardware="aws-g5.xlarge", country="DE") == "aws-g5.xlarge-DE"
    assert name(volume="1e6") == name(volume=" 1000000 ") == "volume-1000000"
    assert name(volume="\uff11\uff12") == "volume-12"
    assert name(carbon_price="50,80,150") == "carbon-price-50_80_150"
    assert name(hardware="../../x") == "x"
    long = {f"option{number}": "1" * 30 for number in range(5)}
    other = {**long, "option4": "2" * 30}
    assert len(name(**long)) < 100
    assert name(**long) != name(**other)
