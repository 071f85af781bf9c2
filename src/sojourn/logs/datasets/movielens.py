"""MovieLens-100K: 943 people's ratings of 1,682 films, which say what real tastes are like.

Ratings are no log: nobody knows what else was shown, and when. So there is no ``load``, but `read_ratings`. They lie in
the wheel ``recbole`` and are read from its files, wherever it is; the package itself is never imported. They are not to
be redistributed.
"""

from __future__ import annotations

import io
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

import polars as pl

from sojourn.errors import LogError
from sojourn.logs.datasets.card import DatasetCard
from sojourn.logs.datasets.files import find, read_table, require_columns

INSTALL: Final = "pip install --no-deps recbole==1.2.1"
CARD: Final = DatasetCard(
    name="movielens",
    title="MovieLens 100K",
    size="100,000 ratings of 1,682 films by 943 people",
    exposure="no",
    click="no, ratings from 1 to 5",
    position="no",
    propensity="no",
    session_end="no",
    licence="research use, not to be redistributed",
    source=f"in the package recbole: {INSTALL}; grouplens.org/datasets/movielens/100k",
    load="sojourn.logs.datasets.movielens.read_ratings",
    citation="Harper and Konstan (2015), ACM Transactions on Interactive Intelligent Systems 5 (4)",
)

_FILE: Final = "ml-100k.inter"
_IN_WHEEL: Final = f"recbole/dataset_example/ml-100k/{_FILE}"
_COLUMNS: Final = {"user_id:token": "user_id", "item_id:token": "item_id", "rating:float": "rating"}


def read_ratings(path: Path | str | None = None) -> pl.DataFrame:
    """Read the ratings.

    Parameters
    ----------
    path
        The file ``ml-100k.inter``, a folder that holds it, or the wheel; the installed package's unless given.

    Returns
    -------
    pl.DataFrame
        ``user_id``, ``item_id`` and ``rating``, one row per rating, in the order of the file.

    Raises
    ------
    LogError
        If the package is not installed, or what is there is no such file.
    """
    if path is None:
        file = _installed()
    elif (file := Path(path)).is_dir():
        file = find(file, (_FILE,), CARD)
    elif not file.is_file():
        raise LogError(f"{CARD.title}: expected a file, a folder or a wheel, found nothing at {file}; {_REMEDY}")
    if zipfile.is_zipfile(file):
        return _named(_from_wheel(file), file)
    return _named(read_table(file, _COLUMNS, CARD, numbers=("rating:float",), separator="\t"), file)


_REMEDY: Final = f"get it with: {INSTALL}"


def _installed() -> Path:
    try:
        found = distribution("recbole").locate_file(_IN_WHEEL)  # finds the file without running the package
    except PackageNotFoundError:
        raise LogError(
            f"{CARD.title}: expected its ratings in the package recbole, which is not installed: {INSTALL}; or give "
            "the path of its wheel"
        ) from None
    file = Path(str(found))
    if not file.is_file():
        raise LogError(f"{CARD.title}: expected {file} in the package recbole, found none; {_REMEDY}")
    return file


def _from_wheel(file: Path) -> pl.DataFrame:
    with zipfile.ZipFile(file) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(_FILE)]
        if not names:
            raise LogError(f"{file}: expected {_IN_WHEEL} in the wheel, found none; {_REMEDY}")
        text = wheel.read(names[0])
    try:
        table = pl.read_csv(io.BytesIO(text), separator="\t", infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise LogError(f"{file}: expected a table of {CARD.title}, could not read it: {error}") from error
    require_columns(table.columns, _COLUMNS, file, CARD)
    return table


def _named(table: pl.DataFrame, file: Path) -> pl.DataFrame:
    ratings = table.select(pl.col(old).alias(new) for old, new in _COLUMNS.items())
    if not ratings["rating"].dtype.is_numeric() or ratings.null_count().sum_horizontal().item():
        raise LogError(f"{file}: expected a number as rating, and a user and an item, in each row of {CARD.title}")
    return ratings.with_columns(pl.col("rating").cast(pl.Float64))
