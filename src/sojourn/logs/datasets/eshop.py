"""E-shop clothing 2008: product views of a Polish shop, session by session (UCI 553).

Each row is a product page that a visitor opened. The list pages that led there are not in the data, so there is no
impression without a click: every row becomes a page of one slot with ``click`` 1, and click models have nothing to
learn here. What it holds is when people leave: ``quit`` is true on the last view of each session.

A model stands at one place of one list page throughout, so `location` and `page` cannot be told from the model itself.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sojourn.errors import LogError
from sojourn.logs.datasets.card import DatasetCard
from sojourn.logs.datasets.files import locate, read_table
from sojourn.logs.log import Log

CARD = DatasetCard(
    name="eshop",
    title="E-shop clothing 2008",
    size="165,474 views, 24,026 sessions, 217 models",
    exposure="views only",
    click="every row is a view",
    position="no",
    propensity="no",
    session_end="yes, last view",
    licence="CC BY 4.0",
    source="UCI Machine Learning Repository, data set 553 (Clickstream data for online shopping)",
    load="sojourn.logs.datasets.eshop.load",
    citation="Lapczynski and Bialowas (2013), Discovering patterns of users' behaviour in an e-shop",
)

_FILES = ("e-shop clothing 2008.csv", "eshop_clothing_2008.csv")
_MODEL = "page 2 (clothing model)"
_ITEM_COLUMNS = {
    "page 1 (main category)": "x_category",
    "colour": "x_colour",
    "location": "x_location",
    "model photography": "x_photography",
    "price": "x_price",
    "price 2": "x_above_average_price",
    "page": "x_page",
}
_COLUMNS = ("year", "month", "day", "order", "country", "session ID", _MODEL, *_ITEM_COLUMNS)
_NUMBERS = ("year", "month", "day", "order")


def load(path: Path | str) -> Log:
    """Read the views, in the file's order.

    Parameters
    ----------
    path
        The ``;``-separated file or the folder it lies in.

    Returns
    -------
    Log
        ``step`` counts the views before this one, ``timestamp`` is a day. All features but ``x_price`` are the source's
        codes, as text; a model listed under two categories (one row of A18) takes the more frequent.

    Raises
    ------
    LogError
        No such file, a column is missing, or the views of a session are not numbered 1, 2, ...
    """
    file = locate(path, _FILES, CARD)
    table = read_table(file, _COLUMNS, CARD, numbers=_NUMBERS, separator=";")
    _check_order(table, file)
    return Log.from_frame(_views(table), items=_items(table), source=str(file))


def _check_order(table: pl.DataFrame, file: Path) -> None:
    numbered = pl.col("order").sort().eq_missing(pl.int_range(1, pl.len() + 1))
    sessions = table.group_by("session ID", maintain_order=True).agg(numbered.all().alias("numbered"))
    wrong = sessions.filter(~pl.col("numbered"))["session ID"]
    if len(wrong):
        raise LogError(
            f"{file}: expected the views of each session numbered 1, 2, ... in 'order', {len(wrong)} sessions are not, "
            f"the first is {wrong[0]}; keep sessions whole, their last view is where the visitor left"
        )


def _views(table: pl.DataFrame) -> pl.DataFrame:
    session, order = pl.col("session ID"), pl.col("order")
    return table.select(
        pl.format("{}-{}", session, order).alias("request_id"),
        session.cast(pl.String).alias("session_id"),
        pl.date("year", "month", "day").alias("timestamp"),
        (order - 1).alias("step"),
        pl.lit(0).alias("position"),
        pl.col(_MODEL).alias("item_id"),
        pl.lit(1.0).alias("click"),
        (order == order.max().over(session)).alias("quit"),
        pl.col("country").cast(pl.String).alias("x_country"),
    )


def _items(table: pl.DataFrame) -> pl.DataFrame:
    most_frequent = [pl.col(name).mode().min().alias(feature) for name, feature in _ITEM_COLUMNS.items()]
    items = table.group_by(pl.col(_MODEL).alias("item_id")).agg(most_frequent).sort("item_id")
    return items.with_columns(pl.exclude("x_price").cast(pl.String))
