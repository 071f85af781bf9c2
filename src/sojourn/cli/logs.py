"""Logs as the command line opens them."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.terminal import warn
from sojourn.errors import LogError
from sojourn.logs import Log, read_log
from sojourn.reporting import count


def opened(log: Path, *, items: Path | None, users: Path | None, requests: Path | None, strict: bool = False) -> Log:
    """Read a log; if all of its rows are bad, say why.

    Raises
    ------
    LogError
        If it cannot be read, or holds nothing but bad rows.
    """
    read = read_log(log, items=items, users=users, requests=requests, strict=strict)
    if read.problems and read.slots.head(1).collect().is_empty():
        listed = "\n".join(f"  {problem}" for problem in read.problems)
        raise LogError(f"{log}: expected at least one valid row, found none:\n{listed}")
    return read


def warn_of_bad_rows(log: Log) -> None:
    """Say how many rows were kept out, and the first reason."""
    if log.problems:
        warn(f"{count(log.n_rejected, 'row')} kept out, see `sojourn inspect`; {log.problems[0]}")
