"""The commands by name."""

from __future__ import annotations

from typing import Annotated

import typer

from sojourn import __version__
from sojourn.cli.check import check
from sojourn.cli.compare import compare
from sojourn.cli.datasets import datasets
from sojourn.cli.demo import demo
from sojourn.cli.evaluate import evaluate
from sojourn.cli.fit import fit
from sojourn.cli.inspect import inspect
from sojourn.cli.plan import plan
from sojourn.cli.simulate import simulate

app = typer.Typer(
    name="sojourn",
    help="Decides what a feed shows next, and learns from what people really saw.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (inspect, fit, evaluate, compare, simulate, plan, demo, datasets, check):
    app.command()(command)


@app.callback(invoke_without_command=True, no_args_is_help=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"sojourn {__version__}")
        raise typer.Exit
