"""What commands print: results to the standard output, progress to the standard error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from sojourn.errors import ConfigError
from sojourn.reporting import Report, number, write

NUMERIC = f"+-0123456789{number(None)}"
"""What a number begins with; the last stands for a missing one."""

out = Console(emoji=False)  # else the row in log.csv:100: is shown as 💯
err = Console(stderr=True, emoji=False)


class Stages:
    """Progress bars of a command, one below the other; a context manager.

    Parameters
    ----------
    transient
        True if nothing of them is to be left when all is done.
    """

    def __init__(self, *, transient: bool = False) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        unseen = transient and not err.is_terminal
        self._progress = Progress(*columns, console=err, transient=transient, disable=unseen)
        self._current: TaskID | None = None

    def __call__(self, name: str) -> Callable[[int, int], None]:
        """Begin a stage; gives what to tell (done, total)."""
        self._finish()
        task = self._current = self._progress.add_task(name, total=None)
        return lambda done, total: self._progress.update(task, completed=done, total=total or None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        elif self._current is not None:  # the sentence that follows says what went wrong
            self._progress.update(self._current, visible=False)
        self._progress.stop()

    def _finish(self) -> None:
        if self._current is None:
            return
        task = self._progress.tasks[self._current]
        self._progress.update(self._current, total=task.total or 1, completed=task.total or 1)


def say(*findings: str) -> None:
    """Print findings, with **words** in bold."""
    for finding in findings:
        parts = finding.split("**")
        for i, part in enumerate(parts):
            out.print(part, style="bold" if i % 2 else "", end="", markup=False, highlight=False, soft_wrap=True)
        out.print()


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers and what looks like numbers to the right."""
    table = Table(title=Text(title), title_justify="left", title_style="")
    cells = [[_cell(value) for value in row] for row in rows]
    for i, column in enumerate(columns):
        numeric = all(row[i][:1] in NUMERIC for row in cells if row[i])
        table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))  # a value of the log may look like markup
    out.print(table)


def print_json(values: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print JSON and nothing else; numbers that JSON does not have become null."""
    typer.echo(json.dumps(_finite(values), indent=2, ensure_ascii=False))


def write_report(report: Report, path: Path) -> None:
    """Write a report and say where."""
    try:
        written = write(report, path)
    except OSError as error:
        raise ConfigError(f"{path}: expected a place for the report, nothing can be written there: {error}") from error
    err.print(f"report: {written}", markup=False, highlight=False, soft_wrap=True)


def warn(warning: str) -> None:
    """Print what a person should know beside the result."""
    err.print("[yellow]warning:[/] ", end="", highlight=False)
    err.print(warning, markup=False, highlight=False, soft_wrap=True)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _finite(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {str(key): _finite(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_finite(value) for value in values]
    if isinstance(values, float) and not abs(values) < float("inf"):
        return None
    return values
