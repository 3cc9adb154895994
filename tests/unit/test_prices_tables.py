from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from toolkit import prices
from toolkit.business import Economics
from toolkit.errors import ConfigError
from toolkit.prices import loading

Change = Callable[[str, str, str], Path]


@pytest.fixture
def changed(tmp_path: Path) -> Change:
    """Return a folder of the tables with one text replaced in one of them."""

    def change(name: str, old: str, new: str) -> Path:
        for file in loading.FOLDER.glob("*.yaml"):
            shutil.copy(file, tmp_path / file.name)
        file = tmp_path / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        return tmp_path

    return change


def test_the_tables_as_they_are_pass() -> None:
    loading.check_folder()


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        (
            "hardware_aws.yaml",
            "usd_per_hour: 0.526",
            "usd_per_hours: 0.526",
            "unknown key 'profiles.aws-g4dn.xlarge.usd_per_hours'; did you mean 'usd_per_hour'",
        ),
        (
            "hardware_aws.yaml",
            "usd_per_hour: 0.526",
            'usd_per_hour: "0.526"',
            "'profiles.aws-g4dn.xlarge.usd_per_hour'",
        ),
        ("hardware_aws.yaml", "usd_per_hour: 0.526", "usd_per_hour: 0", "aws-g4dn.xlarge.usd_per_hour"),
        ("hardware_aws.yaml", "count: 1", "count: 0", "aws-g4dn.xlarge.accelerator.count"),
        (
            "hardware_aws.yaml",
            "    host: aws-m5.xlarge\n",
            "",
            "aws-g4dn.xlarge': a profile of kind gpu gives accelerator",
        ),
        (
            "hardware_aws.yaml",
            "host: aws-m5.xlarge",
            "host: aws-p4d.24xlarge",
            "'aws-g4dn.xlarge': there is no host",
        ),
        (
            "hardware_aws.yaml",
            "device: nvidia-t4",
            "device: nvidia-t40",
            "'aws-g4dn.xlarge': there is no accelerator 'nvidia-t40'; did you mean 'nvidia-t4'",
        ),
        (
            "hardware_google.yaml",
            "processor: ice-lake",
            "processor: ice-lakes",
            "'google-n2-standard-4': there is no processor 'ice-lakes'; did you mean 'ice-lake'",
        ),
        (
            "hardware_azure.yaml",
            "azure-d4s-v3:",
            "aws-m5.xlarge:",
            "'aws-m5.xlarge' stands in hardware_aws.yaml too",
        ),
        ("hardware.yaml", "date: 2026-01-15", "date: last year", "profiles.cloud-vcpu.date"),
        ("hardware.yaml", "basis: published", "basis: declared", "profiles.cloud-vcpu.basis"),
        ("accelerators.yaml", "peak_flops: 8.1e12", "peak_flops: 8.1", "nvidia-t4.peak_flops"),
        ("accelerators.yaml", "achieved: [0.01, 0.1, 0.4]", "achieved: [0.01, 0.1, 40]", "nvidia-t4"),
        (
            "accelerators.yaml",
            "idle_watts: [4, 8, 16]",
            "idle_watts: [4, 80, 160]",
            "nvidia-t4': idle_watts lie below",
        ),
        ("accelerators.yaml", "idle_watts: [4, 8, 16]", "idle_watts: 4", "[low, mid, high]"),
        (
            "processors.yaml",
            "max_watts: [1.69, 3.5, 4.48]",
            "max_watts: [4.48, 3.5, 1.69]",
            "processors.mean",
        ),
        (
            "grid.yaml",
            "title: Norway, g_co2e_per_kwh: 31",
            "title: Norway, g_co2e_per_kwh: 0.031",
            "NO.g_co2e",
        ),
        ("grid.yaml", "price_basis: published", "basis: published", "countries.US"),
    ],
)
def test_a_slip_in_a_table_is_refused_with_its_place_and_name(
    changed: Change, name: str, old: str, new: str, says: str
) -> None:
    folder = changed(name, old, new)
    with pytest.raises(ConfigError) as caught:
        loading.check_folder(folder)
    assert says in caught.value.problem
    assert str(caught.value.where).startswith(str(folder))


def test_a_table_is_read_once() -> None:
    assert loading.hardware_lines() is loading.hardware_lines()
    assert loading.grid_table() is loading.grid_table()


def test_the_tables_at_a_glance_have_a_row_for_everything() -> None:
    tables = prices.tables()
    assert [row["name"] for row in tables["hardware"]] == prices.profiles()
    assert [row["name"] for row in tables["grid"]] == prices.countries()
    for rows in tables.values():
        assert len({tuple(row) for row in rows}) == 1
        assert all(row["source"] and row["date"] for row in rows)


def test_the_row_of_a_machine_is_that_of_the_whole_machine() -> None:
    rows = {row["name"]: row for row in prices.tables()["hardware"]}
    gpu = rows["aws-p4d.24xlarge"]
    assert gpu["peak FLOP/s"] == "1,248 T tf32"
    assert float(gpu["W busy"].replace(",", "")) > 8 * 0.7 * 407
    assert rows["cloud-vcpu"]["peak FLOP/s"] == ""
    # 4 vCPUs and 16 GB
    assert rows["aws-m6i.xlarge"]["W busy"] == f"{4 * 3.76 + 16 * 0.392:.0f}"


def test_the_page_on_prices_counts_and_shows_what_there_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8")
    assert f"{len(prices.profiles())} machines" in page
    assert f"{len(prices.countries())} countries and areas" in page
    examples = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    value = {"value": {"true_positive": 1, "false_positive": 0}, "volume_per_year": 1}
    shown = [
        Economics.model_validate({**yaml.safe_load(example)["economics"], **value}) for example in examples
    ]
    rented, owned = map(prices.of, shown)
    assert rented.kind == "gpu"
    assert owned.basis == "declared"
    assert prices.grid(shown[0].country).title == "Germany"
