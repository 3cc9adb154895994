"""What the verbs of the command line share: options, output, and how a user's mistake ends a command.

Nothing that takes time to import is imported here, so that a verb loads only what it needs.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from toolkit.errors import ToolkitError
from toolkit.places import DEFAULT_STORE

__all__ = [
    "DEFAULT_STORE",
    "RUN_HELP",
    "ExperimentFile",
    "Fresh",
    "Only",
    "Output",
    "Quick",
    "Seeds",
    "StopEarly",
    "StoreFolder",
    "guarded",
    "print_text",
]

ExperimentFile = Annotated[Path, typer.Argument(help="The experiment's YAML file.", show_default=False)]
StoreFolder = Annotated[Path, typer.Option("--store", help="Folder of all results.")]
Only = Annotated[
    list[str] | None, typer.Option("--only", help="Run only this track; may be given more than once.")
]
Seeds = Annotated[int | None, typer.Option(min=1, help="Seeds a rung, instead of the ladder's own.")]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer rungs and one seed; says what is left out.")]
StopEarly = Annotated[
    bool,
    typer.Option(
        "--stop-early",
        help="Let a track stop climbing once its rungs, on validation rows, say that the next ones cannot "
        "pay for themselves or catch the leader (with probability .9). Asks from the 7th rung on, and says "
        "what it saves and risks. A run without it trains what was skipped.",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Train every cell anew, finished or not.")]

RUN_HELP = """Train all tracks on the same task and rows, under meters, and report which is worth it.

After the cells, what the verdict rests on is measured again until its costs rest on several clean readings
(engine: readings). Cells that are finished already are found again and not trained twice: stop with Ctrl-C
whenever you like and start again.

[bold]Examples[/]

  ... experiments/retail.yaml                    the whole comparison, about 25 minutes

  ... experiments/retail.yaml --quick            a first look in under three minutes

  ... experiments/retail.yaml --only classical   one track; the report keeps what is there of the others

  ... experiments/cdnow.yaml --stop-early        skip the large rungs of tracks that cannot win any more

[bold]Exit codes[/]

  0 all is well · 1 a cell failed, the report shows it · 2 a mistake you can mend · 130 interrupted
"""


class Output(Console):
    """A console whose closed pipe is an error like any other; Rich would end the program in silence."""

    def on_broken_pipe(self) -> None:
        """Raise instead of leaving."""
        raise BrokenPipeError(errno.EPIPE, "the reader has closed it")


def print_text(text: str) -> None:
    """Print what programs read to standard output: UTF-8 whatever the locale, and nothing of a console."""
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def guarded(action: Callable[[], int]) -> int:
    """Run `action` and turn a user's mistake into a message on standard error and exit code 2."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    # An end from outside (SIGTERM) closes runs and children as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows ? and no traceback
    try:
        return action()
    except ToolkitError as error:
        console.print(f"error: {error}", markup=False)
        return 2
    except OSError as error:
        if not isinstance(error, BrokenPipeError) and error.errno != errno.ENOSPC:
            raise
        # Nothing more can be said there: not at the end of the program either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        console.print(f"error: the output cannot be written ({error.strerror}); finished cells are kept")
        return 2
    except KeyboardInterrupt:
        console.print("interrupted: finished cells are kept; the same command goes on where this stopped")
        return 130
