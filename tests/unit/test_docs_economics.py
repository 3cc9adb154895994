"""The page on economics tells every key, and its example is a valid one."""

from __future__ import annotations

import re
from pathlib import Path

from toolkit.business import Economics, Hours, OutcomeValue
from toolkit.yamltext import parse

PAGE = (Path(__file__).parents[2] / "docs" / "economics.md").read_text(encoding="utf-8")
TABLE = [line for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 6]


def named() -> set[str]:
    """Return the keys of the table; `hours.TRACK.features`, `.rules` are two of one group."""
    found = set()
    for line in TABLE:
        group = ""
        for key in re.findall(r"`([^`]+)`", line.split("|")[1]):
            full = f"{group}{key}" if key.startswith(".") else key
            group = full.rpartition(".")[0]
            found.add(full)
    return found


def test_the_table_has_every_key_and_no_other() -> None:
    wanted = {key for key in Economics.model_fields if key not in ("value", "hours")}
    wanted |= {f"value.{key}" for key in OutcomeValue.model_fields}
    wanted |= {f"hours.TRACK.{key}" for key in Hours.model_fields}
    assert named() == wanted


def test_plain_defaults_are_those_of_the_model() -> None:
    told = {
        key: line.split("|")[5].strip()
        for line in TABLE
        for key in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    for key, field in Economics.model_fields.items():
        if isinstance(field.default, bool) or not isinstance(field.default, int | float | str):
            continue
        plain = f"{field.default:g}" if isinstance(field.default, float) else field.default
        assert told[key].strip("`") == plain
    for key in ("wage_per_hour", "retrains_per_year", "carbon_price_per_tonne", "speed", "price_per_label"):
        assert told[key] == f"{Economics.model_fields[key].default.likely:g}"


def test_the_example_is_valid() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    economics = Economics.model_validate(parse(example[1])[0]["economics"])
    assert economics.unfit_source(["rules", "neural"]) is None
    assert economics.origin("hours.rules.rules").source == "what the last knowledge base took"
    assert economics.origin("value.false_positive").basis == "assumed"
