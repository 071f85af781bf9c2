"""Finding and opening the files of a data set, plain or compressed."""

from __future__ import annotations

import gzip
import io
import lzma
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import polars as pl

from sojourn.errors import LogError
from sojourn.logs.datasets.card import DatasetCard

_OPENERS: dict[str, Callable[..., BinaryIO]] = {".gz": gzip.open, ".xz": lzma.open}  # type: ignore[dict-item]
UNREADABLE = (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError)
"""What reading a damaged or wrongly named file raises."""


def locate(path: Path | str, names: Iterable[str], card: DatasetCard) -> Path:
    """The file at ``path``, or what `find` finds in the folder ``path``."""
    path = Path(path)
    return path if path.is_file() else find(path, names, card)


def find(folder: Path | str, names: Iterable[str], card: DatasetCard) -> Path:
    """The first of ``names``, plain, .gz or .xz, in a folder.

    Raises
    ------
    LogError
        Nothing is there. The message names the file and where to get it.
    """
    folder, names = Path(folder), tuple(names)
    for name in names:
        for suffix in ("", *_OPENERS):
            if (file := folder / (name + suffix)).is_file():
                return file
    raise LogError(
        f"{card.title}: expected the file {' or '.join(names)} (plain, .gz or .xz), found none at {folder}; "
        f"get it from {card.source}"
    )


def open_binary(path: Path) -> BinaryIO:
    """The file as bytes, decompressed on the way if its name ends in .gz or .xz."""
    opener = _OPENERS.get(path.suffix)
    return opener(path, "rb") if opener else path.open("rb")


def read_text(path: Path) -> str:
    """The whole file as text."""
    try:
        with open_binary(path) as file:
            return file.read().decode("utf-8")
    except UNREADABLE as error:
        raise LogError(f"{path}: expected text (plain, .gz or .xz), could not read it: {error}") from error


def read_table(
    path: Path, columns: Iterable[str], card: DatasetCard, *, numbers: Iterable[str] = (), separator: str = ","
) -> pl.DataFrame:
    """A CSV or Parquet file that must have ``columns``, of which ``numbers`` hold numbers; others are kept.

    Raises
    ------
    LogError
        The file is not a table, or a column is missing or holds something else.
    """
    try:
        if path.suffix == ".parquet":
            table = pl.read_parquet(path)
        else:
            with open_binary(path) as file:
                table = pl.read_csv(io.BytesIO(file.read()), separator=separator, infer_schema_length=None)
    except (pl.exceptions.PolarsError, *UNREADABLE) as error:
        raise LogError(f"{path}: expected a table of {card.title}, could not read it: {error}") from error
    require_columns(table.columns, columns, path, card)
    for name in numbers:
        if not table.schema[name].is_numeric():
            raise LogError(f"{path}: expected numbers in the column {name}, got {table.schema[name]}")
    return table


def require_columns(present: Iterable[str], columns: Iterable[str], path: Path, card: DatasetCard) -> None:
    """Refuse a table without ``columns``."""
    present = list(present)
    if missing := [name for name in columns if name not in present]:
        raise LogError(
            f"{path}: expected the columns of {card.title}, missing {', '.join(missing)}; "
            f"it has {', '.join(present[:8])}{', ...' if len(present) > 8 else ''}"
        )
