"""A table of candidates as files hold it: what each item earns, and how likely it makes a person leave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.errors import ConfigError, LogError
from sojourn.logs.codes import by_appearance
from sojourn.records import FloatArray, SessionMDP

N_STEPS: Final = 20
"""Steps of a session unless they are given."""

_REQUIRED = ("item_id", "reward", "hazard")
_STDS = ("reward_std", "hazard_std")
_SUFFIXES: Final = (".parquet", ".csv", ".jsonl", ".ndjson")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CandidateTable:
    """The candidates of a session.

    Parameters
    ----------
    item_ids : (m,) int or str
        In order of first appearance.
    mdp
        What is known of them.
    source
        Where they came from.
    """

    item_ids: NDArray[Any]
    mdp: SessionMDP
    source: str


def is_candidate_table(path: Path) -> bool:
    """True if the file has the columns of candidates rather than those of a log, whose rows have position and click."""
    if not path.is_file() or path.suffix not in _SUFFIXES:
        return False
    columns = set(_table(path).columns)
    return "hazard" in columns or not columns & {"request_id", "position", "click"}


def steps_of_plan(n_steps: int | None, n_candidates: int) -> int:
    """Steps as asked for; `N_STEPS` unless they are, where a plan may end sooner for want of candidates.

    Raises
    ------
    ConfigError
        If more steps are asked for than there are candidates, which are not repeated.
    """
    if n_steps is not None and n_steps > n_candidates:
        raise ConfigError(
            f"--steps: expected at most the {n_candidates} candidates that there are, since no item is shown twice, "
            f"got {n_steps}; ask for fewer steps, or add candidates"
        )
    return N_STEPS if n_steps is None else n_steps


def read_candidates(path: Path, *, n_steps: int | None = None) -> CandidateTable:
    """Read candidates: one row for each, or one for each and every ``step`` (0 first) where values change.

    Parameters
    ----------
    path
        Parquet, CSV or JSON lines with the columns item_id, reward and hazard; reward_std, hazard_std and step where
        known.
    n_steps
        Steps of the session, >= 1. `N_STEPS` unless given, or as many as a table with steps has.

    Raises
    ------
    LogError
        If the table cannot be read, a column is missing, or a value is; the row is named.
    ConfigError
        If more steps are asked for than there are candidates.
    """
    table = _table(path)
    missing = [name for name in _REQUIRED if name not in table.columns]
    if missing:
        raise LogError(
            f"{path}: expected a table of candidates with the columns {', '.join(_REQUIRED)} (or a log with "
            f"request_id, item_id, position and click), {', '.join(missing)} missing among "
            f"{', '.join(table.columns) or 'no columns'}"
        )
    if table.is_empty():
        raise LogError(f"{path}: expected at least one candidate, got an empty table")
    _expect_ids(table["item_id"], path)
    numbers = {name: _numbers(table[name], path) for name in (*_REQUIRED[1:], *_STDS) if name in table.columns}
    if "step" in table.columns:
        return _by_step(table, numbers, n_steps, path)
    repeated = table["item_id"].is_duplicated().arg_true()
    if len(repeated):
        raise LogError(
            f"{path}: expected each item_id once, {table['item_id'][repeated[0]]!r} stands in the rows "
            f"{_rows(table, repeated[0])}; where values change along the session, add a column step (0, 1, ...)"
        )
    mdp = SessionMDP(n_steps=steps_of_plan(n_steps, len(table)), **numbers)
    return CandidateTable(item_ids=table["item_id"].to_numpy(), mdp=mdp, source=str(path))


def _table(path: Path) -> pl.DataFrame:
    if path.suffix not in _SUFFIXES:
        raise LogError(f"{path}: expected a file that ends in {', '.join(_SUFFIXES)}")
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        if path.suffix == ".csv":
            return pl.read_csv(path, infer_schema_length=None, schema_overrides={"item_id": pl.String})
        return pl.read_ndjson(path, infer_schema_length=None)
    except pl.exceptions.NoDataError as error:
        raise LogError(f"{path}: expected at least one candidate, got an empty file") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LogError(f"{path}: cannot be read: {str(error).partition(chr(10))[0]}") from error


def _expect_ids(ids: pl.Series, path: Path) -> None:
    empty = ids.is_null().arg_true()
    if len(empty):
        raise LogError(f"{path}: expected an item_id in each row, row {empty[0] + 1} has none")


def _numbers(values: pl.Series, path: Path) -> FloatArray:
    """The column as floats, each in its range."""
    numbers = values.cast(pl.Float64, strict=False)
    most = 1.0 if values.name == "hazard" else np.inf
    bad = (~numbers.is_between(0.0, most) | ~numbers.is_finite()).fill_null(True).arg_true()
    if len(bad):
        expected = "a probability in [0, 1]" if values.name == "hazard" else "a finite number >= 0"
        raise LogError(f"{path}: {values.name}: expected {expected}, row {bad[0] + 1} has {values[bad[0]]!r}")
    return numbers.to_numpy()


def _by_step(table: pl.DataFrame, numbers: dict[str, FloatArray], n_steps: int | None, path: Path) -> CandidateTable:
    step = table["step"].cast(pl.Int64, strict=False)
    bad = (step < 0).fill_null(True).arg_true()
    if len(bad):
        raise LogError(f"{path}: step: expected a whole number >= 0, row {bad[0] + 1} has {table['step'][bad[0]]!r}")
    code, first = by_appearance(table["item_id"])
    ids, length = table["item_id"].gather(first), int(step.to_numpy().max()) + 1
    cell = step.to_numpy() * len(ids) + code
    _expect_whole(cell, ids, length, path)
    if n_steps is not None and n_steps > length:
        raise LogError(f"{path}: expected the values of {n_steps} steps, the table has {length}; ask for no more")
    kept = length if n_steps is None else n_steps
    order = np.argsort(cell)
    laid_out = {name: each[order].reshape(length, len(ids))[:kept] for name, each in numbers.items()}
    return CandidateTable(item_ids=ids.to_numpy(), mdp=SessionMDP(n_steps=kept, **laid_out), source=str(path))


def _expect_whole(cells: NDArray[np.int64], ids: pl.Series, n_steps: int, path: Path) -> None:
    """Of the cells step * m + item there must be one of each."""
    present = np.sort(cells)
    if len(cells) == n_steps * len(ids) and np.array_equal(present, np.arange(len(cells))):
        return
    wrong = int(np.append(present != np.arange(len(cells)), True).argmax())  # cells below are there once each
    twice = wrong > 0 and wrong < len(cells) and present[wrong] == wrong - 1
    step, item = divmod(wrong - int(twice), len(ids))
    raise LogError(
        f"{path}: expected one row for each item and each step from 0 to {n_steps - 1}, item {ids[item]!r} has "
        f"{'more than one' if twice else 'none'} for step {step}"
    )


def _rows(table: pl.DataFrame, first: int) -> str:
    rows = (table["item_id"] == table["item_id"][first]).arg_true().to_list()
    return " and ".join(str(row + 1) for row in rows[:2])
