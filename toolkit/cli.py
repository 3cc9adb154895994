"""The `toolkit` command: the same functions as `python -m toolkit.run`, each verb with its own help.

Each verb imports its own module when it is called: most of them take over a second to load.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli_curve import curve
from toolkit.cli_prices import prices
from toolkit.cli_report import report
from toolkit.options import (
    DEFAULT_STORE,
    RUN_HELP,
    ExperimentFile,
    Fresh,
    Only,
    Output,
    Quick,
    Seeds,
    StopEarly,
    StoreFolder,
    guarded,
)

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Is deep learning worth its cost on this task? Compare rules, classical, neural and hybrid tracks, "
    "measured, priced and with intervals.",
)


@app.command(help=RUN_HELP)
def run(
    experiment: ExperimentFile,
    only: Only = None,
    seeds: Seeds = None,
    quick: Quick = False,
    fresh: Fresh = False,
    stop_early: StopEarly = False,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """Run a sweep and write its report."""
    from toolkit.run import run_command

    run_command(experiment, only, seeds, quick, fresh, stop_early, store)


app.command()(report)
app.command()(prices)
app.command()(curve)


class Style(StrEnum):
    """How `toolkit check` shows a rule."""

    words = "words"
    math = "math"
    latex = "latex"


class TextFormat(StrEnum):
    """How `toolkit check` and `toolkit explain` tell what they found."""

    text = "text"
    json = "json"


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A knowledge base or an experiment.", show_default=False)],
    data: Annotated[
        bool, typer.Option("--data", help="Hold a knowledge base against training rows too.")
    ] = False,
    experiment: Annotated[
        Path | None,
        typer.Option(
            help="Whose rows; by default the first experiment in the folder of the knowledge base, or one "
            "up, with a track that uses it. Implies --data.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[  # noqa: A002 (the name of the option)
        TextFormat, typer.Option(help="json prints all that was found as JSON and nothing else.")
    ] = TextFormat.text,
    show: Annotated[
        Style | None,
        typer.Option(
            help="Tell every rule too: in plain words, as mathematics, or as LaTeX.", show_default=False
        ),
    ] = None,
) -> None:
    """Check a knowledge base or an experiment before anything runs.

    By itself, a knowledge base is analysed exactly: rules that can never
    fire, that say the same twice or the opposite, thresholds out of range,
    each with a row that shows it. With --data, its rules are held against
    training rows: where they fire, and whether the rows bear their certainty
    out. Validation and test rows are never looked at.

    An experiment is checked with its tracks and all its knowledge bases,
    always with data, and its cells are counted.

    [bold]Examples[/]

      toolkit check experiments/knowledge/retail.yaml          by itself

      toolkit check experiments/knowledge/retail.yaml --data   against rows

      toolkit check experiments/knowledge/retail.yaml --show words

      toolkit check experiments/retail.yaml                    all of a run

      toolkit check experiments/retail.yaml --format json      for programs

    [bold]Exit codes[/]

      0 clean, or warnings only · 1 an error was found · 2 a file is unreadable
    """
    from toolkit import check as module
    from toolkit.knowledge.notation import listing as rules

    raise typer.Exit(
        guarded(
            lambda: module.check_file(
                file,
                with_data=data,
                experiment=experiment,
                as_json=format is TextFormat.json,
                show=None if show is None else rules.Style(show.value),
                console=Output(),
            )
        )
    )


@app.command()
def explain(
    file: Annotated[Path, typer.Argument(help="An experiment or a knowledge base.", show_default=False)],
    row: Annotated[
        list[str],
        typer.Option(
            help="A row's number in the validation block, or its values; may be given more than once.",
            show_default=False,
        ),
    ],
    track: Annotated[
        str | None,
        typer.Option(help="rules, hybrid, …; by default rules, else the first that can.", show_default=False),
    ] = None,
    rung: Annotated[
        int | None,
        typer.Option(min=0, help="Of the track's ladder; by default the largest.", show_default=False),
    ] = None,
    format: Annotated[  # noqa: A002 (the name of the option)
        TextFormat, typer.Option(help="json prints the explanations as JSON and nothing else.")
    ] = TextFormat.text,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """Explain why a row gets the probability it does.

    The parts add up in log-odds: the prior, every rule that counts with its
    reason, and, for the hybrid, what the trained net adds. Then rules that
    fired but do not count, hard facts, and why not: the nearest rule that did
    not fire and the smallest change that would make it.

    A number counts the rows of the validation block from 0; labels are not
    looked at. A row given by hand leaves all other columns missing. The hybrid
    is the one that the sweep has trained, at that rung with seed 0; where there
    is none, it is trained first. With a knowledge base in place of an
    experiment, rows are given by hand.

    [bold]Examples[/]

      toolkit explain experiments/retail.yaml --row 12

      toolkit explain experiments/retail.yaml --row 12 --track hybrid

      toolkit explain experiments/smoke.yaml --row visits=4,segment=trade

      toolkit explain experiments/smoke.yaml --row '{"visits": 4}'

      toolkit explain experiments/knowledge/gym.yaml --row visits=1,usual_visits=8

    [bold]Exit codes[/]

      0 explained · 2 a mistake you can mend
    """
    from toolkit import explain as module

    raise typer.Exit(
        guarded(
            lambda: module.explain_rows(
                file,
                row,
                track=track,
                rung=rung,
                as_json=format is TextFormat.json,
                store_folder=store,
                console=Output(),
            )
        )
    )


@app.command()
def predict(
    experiment: ExperimentFile,
    data: Annotated[Path, typer.Argument(help="A CSV file with the task's columns.", show_default=False)],
    track: Annotated[
        str | None,
        typer.Option(help="By default the one that the verdict says to use.", show_default=False),
    ] = None,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """Predict the rows of a CSV file with the model that a sweep has kept.

    It is the model of the rung that the track would be deployed with, seed 0.
    The file has the task's columns in any order, numbers as numbers and
    categories by the names of their levels; what is empty is missing, and
    further columns are passed over. The probabilities come as CSV on standard
    output, one line a row under the heading 'probability', and nothing else.

    [bold]Examples[/]

      toolkit predict experiments/smoke.yaml customers.csv > probabilities.csv

      toolkit predict experiments/smoke.yaml customers.csv --track hybrid

    [bold]Exit codes[/]

      0 predicted · 2 a mistake you can mend
    """
    from toolkit import predict as module

    raise typer.Exit(
        guarded(
            lambda: module.predict(
                experiment, data, track=track, store_folder=store, console=Output(stderr=True)
            )
        )
    )


@app.command()
def suggest(
    experiment: ExperimentFile,
    rules: Annotated[int, typer.Option("--rules", min=1, max=50, help="At most so many suggestions.")] = 10,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="The file to write; by default <knowledge base>-suggestions.yaml beside the knowledge base, "
            "or <experiment>-suggestions.yaml when no track has one.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")] = False,
) -> None:
    """Suggest rules that training rows show and the experts have not written.

    Shallow trees look for rows where the outcome is more or less frequent
    than the prior and the rules that are there expect. What they propose is
    weighed on other clusters (households, customers), which no tree has seen;
    what may be chance there is left out. So the counts, shares and certainties
    are honest, and on rows without a pattern there is nothing to suggest.

    The suggestions go into a file of their own, a knowledge base that loads;
    nothing is ever merged into yours. Read every rule, replace its 'because'
    with a reason, move it over, and delete the rest. Without a knowledge base
    the file is the start of one.

    Only training rows are looked at: the largest rung, seed 0. The same file
    gives the same suggestions.

    [bold]Examples[/]

      toolkit suggest experiments/retail.yaml

      toolkit suggest experiments/retail.yaml --rules 20 --output ideas.yaml

    [bold]Exit codes[/]

      0 suggestions are written, or there is nothing to suggest · 2 a mistake you can mend
    """
    from toolkit import suggest as module

    raise typer.Exit(
        guarded(
            lambda: module.suggest(experiment, n_rules=rules, output=output, force=force, console=Output())
        )
    )


@app.command()
def schema() -> None:
    """Print the JSON schema of knowledge bases, for editors.

    An editor with a YAML language server (Visual Studio Code with the YAML
    extension, Neovim, Emacs, PyCharm) then completes keys, shows what they
    mean, and marks mistakes while you write. Put the schema beside your
    knowledge base, and this line first into it:

      # yaml-language-server: $schema=knowledge.schema.json

    What needs the whole file - names, tests, contradictions - toolkit check
    tells.

    [bold]Examples[/]

      toolkit schema > knowledge.schema.json
    """
    from toolkit.knowledge.editor_schema import editor_schema_text

    def show() -> int:
        sys.stdout.buffer.write(editor_schema_text().encode())
        sys.stdout.buffer.flush()
        return 0

    raise typer.Exit(guarded(show))


@app.command()
def ui(
    store: StoreFolder = DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="First port to try.")] = 5000,
) -> None:
    """Browse all results in the MLflow UI, on this machine only (127.0.0.1). Ctrl-C stops it."""
    from toolkit.run import open_ui

    raise typer.Exit(guarded(lambda: open_ui(store, port=port, console=Output())))


def main() -> None:
    """Run the command line."""
    app(prog_name="toolkit")


if __name__ == "__main__":
    main()
