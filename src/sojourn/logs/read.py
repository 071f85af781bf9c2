"""Reading logs from files."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from sojourn.errors import LogError
from sojourn.logs.admission import Part
from sojourn.logs.log import SLOT_BY_SLOT, Log
from sojourn.logs.schema import FEATURE_PREFIXES

PathLike = str | Path
_FORMATS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_TABLES = ("items", "users", "requests")
_KEYS = ("item_id", "user_id", "request_id", "candidates")  # 007 is not 7
_N_SAMPLED = 1000
_WHOLE = r"^(0|-?[1-9]\d{0,17})$"  # no leading zeros: 007 and 7 are two items


def read_log(
    path: PathLike | Sequence[PathLike],
    *,
    items: PathLike | None = None,
    users: PathLike | None = None,
    requests: PathLike | None = None,
    strict: bool = False,
) -> Log:
    """Read and check a log.

    Parameters
    ----------
    path
        A file, a glob, several files, or a folder; Parquet, CSV (also gzipped) or JSON lines, all of one format. In a
        folder, files named ``items``, ``users`` and ``requests`` are the tables to join, and ``log.*``, or else every
        other file, is the log.
    items, users, requests
        Tables to join.
    strict
        Refuse a log that has a bad row, instead of keeping the row out and counting it.

    Raises
    ------
    LogError
        If nothing is found or it cannot be read, and as `Log.from_frame` says.

    Notes
    -----
    CSV has no types. Feature columns are numbers, or true and false, if each of the first 1000 values is; else text.
    Item ids are whole numbers if each of the first 1000 is written like one.
    """
    files, found = _files(path)
    source = str(path) if isinstance(path, (str, Path)) else ", ".join(map(str, path))
    given = {"items": items, "users": users, "requests": requests}
    try:
        tables = {name: _table(given[name] or found.get(name)) for name in _TABLES}
        parts = [_part(file, name) for file, name in zip(files, _names(files), strict=True)]
        whole_pages = not any(_is_slot_by_slot(file) for file in files)
        return Log.from_parts(parts, **tables, whole_pages=whole_pages, strict=strict, source=source)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]  # what follows is the query
        raise LogError(f"{source}: cannot be read, or a table beside it: {reason}") from error


def _files(path: PathLike | Sequence[PathLike]) -> tuple[list[Path], dict[str, Path]]:
    """The files of the log, and the tables that lie beside them."""
    tables: dict[str, Path] = {}
    if not isinstance(path, (str, Path)):
        files = [Path(each) for each in path]
    elif Path(path).is_dir():
        known = [each for each in sorted(Path(path).iterdir()) if _suffix(each) and not each.name.startswith(".")]
        tables = {_stem(each): each for each in known if _stem(each) in _TABLES}
        others = [each for each in known if _stem(each) not in _TABLES]
        files = [each for each in others if _stem(each) == "log"] or others
    elif glob.has_magic(str(path)) and not Path(path).exists():
        files = [Path(each) for each in sorted(glob.glob(str(path), recursive=True))]
    else:
        files = [Path(path)]
    _expect_one_format(files, path)
    return files, tables


def _expect_one_format(files: Sequence[Path], path: object) -> None:
    missing = [str(file) for file in files if not file.is_file()]
    if missing or not files:
        raise LogError(f"{path}: expected a log, found no such file: {', '.join(missing) or 'nothing there'}")
    formats = sorted({_format(file) for file in files})
    if len(formats) > 1:
        raise LogError(f"{path}: expected files of one format, found {' and '.join(formats)}; name the files to read")


def _suffix(path: Path) -> str | None:
    return next((suffix for suffix in _FORMATS if path.name.endswith(suffix)), None)


def _stem(path: Path) -> str:
    return path.name.removesuffix(_suffix(path) or "")


def _format(path: Path) -> str:
    suffix = _suffix(path)
    if suffix is None:
        raise LogError(f"{path}: expected a file that ends in {', '.join(_FORMATS)}")
    return _FORMATS[suffix]


def _names(files: Sequence[Path]) -> list[str]:
    """How problems name the files: without their folders, unless two files would share a name."""
    names = [file.name for file in files]
    return names if len(set(names)) == len(names) else [str(file) for file in files]


def _part(file: Path, name: str) -> Part:
    if _format(file) == "parquet":
        return Part(file=name, table=pl.scan_parquet(file, glob=False))
    table, known = _scan_text(file)
    unsure = [column for column in table.collect_schema() if column == "item_id" or _is_feature(column)]
    sample = table.select(unsure).head(_N_SAMPLED).collect()
    return Part(
        file=name, table=table, types={column: known.get(column) or _guess(sample[column]) for column in unsure}
    )


def _is_feature(column: str) -> bool:
    return column.startswith(FEATURE_PREFIXES)


def _scan_text(file: Path) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """All values as text, so that a bad one stops nothing; and the columns that the format itself calls text."""
    if _format(file) == "csv":
        return pl.scan_csv(file, infer_schema=False, glob=False), {}
    types = pl.scan_ndjson(file, infer_schema_length=_N_SAMPLED).collect_schema()
    scalars = {column: pl.String() for column, dtype in types.items() if not dtype.is_nested()}
    table = pl.scan_ndjson(file, infer_schema_length=_N_SAMPLED, schema_overrides=scalars)
    return table, {column: dtype for column, dtype in types.items() if dtype == pl.String}


def _guess(texts: pl.Series) -> pl.DataType:
    """The type of a column of text, from its first values."""
    values = texts.drop_nulls()
    if texts.name == "item_id":
        return pl.Int64() if values.str.contains(_WHOLE).all() else pl.String()
    if values.is_in(["true", "false"]).all():
        return pl.Boolean()
    return pl.Float64() if values.cast(pl.Float64, strict=False).is_not_null().all() else pl.String()


def _table(path: PathLike | None) -> pl.LazyFrame | None:
    if path is None:
        return None
    file = Path(path)
    _expect_one_format([file], file)
    if _format(file) == "parquet":
        return pl.scan_parquet(file, glob=False)
    if _format(file) == "jsonl":
        return pl.scan_ndjson(file, infer_schema_length=None)
    keys = {column: pl.String for column in _scan_text(file)[0].collect_schema() if column in _KEYS}
    return pl.scan_csv(file, infer_schema_length=None, schema_overrides=keys, glob=False)


def _is_slot_by_slot(file: Path) -> bool:
    return _format(file) == "parquet" and SLOT_BY_SLOT.items() <= pl.read_parquet_metadata(file).items()
