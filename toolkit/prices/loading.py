"""The table files, read once and checked: a slip is told with the file, the line and the profile."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from toolkit.errors import ConfigError, did_you_mean
from toolkit.prices.lines import (
    AcceleratorTable,
    GridTable,
    HardwareLine,
    HardwareTable,
    ProcessorTable,
)
from toolkit.yamlfile import Source, explain, read_mapping

__all__ = ["accelerator_table", "check_folder", "grid_table", "hardware_lines", "processor_table"]

FOLDER = Path(__file__).parent
HARDWARE = ("hardware.yaml", "hardware_aws.yaml", "hardware_google.yaml", "hardware_azure.yaml")

T = TypeVar("T", bound=BaseModel)


def _read(file: Path, model: type[T]) -> tuple[T, Source]:
    data, source = read_mapping(
        file,
        what="a table of prices",
        example="toolkit/prices/hardware.yaml",
        keys=" and ".join(model.model_fields),
        error=ConfigError,
    )
    try:
        return model.model_validate(data), source
    except ValidationError as error:
        place, problem = explain(error, source, model)
        raise ConfigError(problem, where=place) from error


@lru_cache(maxsize=4)
def processor_table(folder: Path = FOLDER) -> ProcessorTable:
    """Return the power of vCPUs by processor, and of memory."""
    return _read(folder / "processors.yaml", ProcessorTable)[0]


@lru_cache(maxsize=4)
def accelerator_table(folder: Path = FOLDER) -> AcceleratorTable:
    """Return the accelerators by name, and where their speed is from."""
    return _read(folder / "accelerators.yaml", AcceleratorTable)[0]


@lru_cache(maxsize=4)
def grid_table(folder: Path = FOLDER) -> GridTable:
    """Return the electricity of all countries."""
    return _read(folder / "grid.yaml", GridTable)[0]


@lru_cache(maxsize=4)
def hardware_lines(folder: Path = FOLDER) -> dict[str, HardwareLine]:
    """Return all hardware profiles by name, in the order of the files.

    Raises
    ------
    ConfigError
        A profile stands twice or names a processor, a device or a host that there is not.
    """
    lines: dict[str, HardwareLine] = {}
    places: dict[str, Source] = {}
    for name in HARDWARE:
        table, source = _read(folder / name, HardwareTable)
        for profile, line in table.profiles.items():
            if profile in lines:
                raise ConfigError(
                    f"profile '{profile}' stands in {places[profile].file.name} too; give it another name",
                    where=source.where("profiles", profile),
                )
            lines[profile], places[profile] = line, source
    processors, devices = processor_table(folder).processors, accelerator_table(folder).accelerators
    hosts = [name for name, line in lines.items() if line.kind == "cpu"]
    for profile, line in lines.items():
        device = None if line.accelerator is None else line.accelerator.device
        for key, value, known in (
            ("processor", line.processor, processors),
            ("accelerator", device, devices),
            ("host", line.host, hosts),
        ):
            if value is not None and value not in known:
                raise ConfigError(
                    f"profile '{profile}': there is no {key} '{value}'{did_you_mean(value, known)}",
                    where=places[profile].where("profiles", profile, key),
                )
    return lines


def check_folder(folder: Path = FOLDER) -> None:
    """Read every table of a folder.

    Raises
    ------
    ConfigError
        With the file, the line and the name of the entry that is wrong.
    """
    hardware_lines(folder)
    grid_table(folder)
