"""Where this ran, and how to run it again."""

from __future__ import annotations

import shlex
from typing import ClassVar

import yaml
from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable, Section

__all__ = ["EnvironmentSection"]


class EnvironmentSection(Section):
    """Machine, versions, and the experiment file with all defaults."""

    order: ClassVar[int] = 120
    title: ClassVar[str] = "Environment, and how to reproduce this"

    def render(self, results: Results) -> Markup:
        """Return the environment; not applicable when neither it nor the experiment is known."""
        experiment = dict(results.experiment)
        if not results.environment and not experiment:
            raise NotApplicable("Neither the machine nor the experiment was recorded.")
        parts: list[Markup] = []
        if results.environment:
            parts.append(
                elements.facts(
                    (formats.words(key), value)
                    for key, value in results.environment.items()
                    if key != "command"
                )
            )
        if experiment:
            name = str(experiment.get("experiment", "experiment"))
            file = shlex.quote(results.environment.get("file", f"{name}.yaml"))
            command = results.environment.get("command", f"python -m toolkit.run {file}")
            parts += [
                Markup("<h3>{}</h3>").format("Run it again"),
                elements.paragraph(
                    "Finished cells are found again in the store and not repeated. Costs are comparable only "
                    "on the same machine; scores repeat with the same versions and seeds."
                ),
                Markup("<pre>{}</pre>").format(command),
                Markup("<details><summary>{}</summary><pre>{}</pre></details>").format(
                    "The experiment file with all defaults filled in",
                    yaml.safe_dump(_plain(experiment), sort_keys=False, allow_unicode=True, width=88),
                ),
            ]
        return elements.join(*parts)


def _plain(value: object) -> object:
    """Return mappings and sequences as YAML writes them: ranges on one line, tuples as lists."""
    if isinstance(value, dict):
        if set(value) == {"low", "likely", "high"}:
            ends = [value["low"], value["likely"], value["high"]]
            return ends[1] if ends[0] == ends[2] else ends
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
