"""Yandex relevance prediction: result pages of ten documents, their clicks in order.

Which results were looked at is not recorded and has to be inferred; of the end of a visit only the deepest click is
known. The same document often stands at several ranks of a query, which is what position models are fitted from.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sojourn.errors import LogError
from sojourn.logs.datasets.card import DatasetCard
from sojourn.logs.datasets.files import locate, read_text
from sojourn.logs.log import Log

CARD = DatasetCard(
    name="yandex",
    title="Yandex relevance prediction, sample",
    size="35,064 pages x 10, 20 queries, 1,024 pairs",
    exposure="no, to be inferred",
    click="yes, in order",
    position="10, strong",
    propensity="no",
    session_end="deepest click only",
    licence="research use",
    source="Yandex Relevance Prediction Challenge (WSCD 2012), pages of one query each, joined with ';'",
    load="sojourn.logs.datasets.yandex.load",
    citation="Serdyukov, Craswell and Dupret (2012), WSCD 2012: Workshop on Web Search Click Data",
)

_FILES = ("train.txt", "test.txt")


def load(path: Path | str) -> Log:
    """Read the pages as a log: one row per result, ``item_id`` the pair ``query_region:document``.

    ``click`` is 1 for a document that was clicked at least once. Clicks on documents that the page does not list are
    kept out; the log's ``problems`` count them.

    Parameters
    ----------
    path
        The file or the folder it lies in.

    Raises
    ------
    LogError
        No such file, or a page that is not ``query_region<TAB>doc,doc,... : click , click , ...``.
    """
    file = locate(path, _FILES, CARD)
    pages = read_pages(file).with_row_index("request_id")
    shown = (
        pages.with_columns(pl.int_ranges(pl.col("documents").list.len()).alias("position"))
        .explode("documents", "position")
        .with_columns(pl.col("clicks").list.contains(pl.col("documents")).alias("click"))
    )
    elsewhere = pages.with_columns(pl.col("outside").alias("documents"), pl.lit(value=True).alias("click"))
    stray = elsewhere.filter(pl.col("outside").list.len() > 0).explode("documents")
    rows = pl.concat([shown, stray], how="diagonal").select(
        "request_id", "position", pl.format("{}:{}", "query", "documents").alias("item_id"), "click"
    )
    return Log.from_frame(rows, source=str(file))


def read_pages(path: Path | str) -> pl.DataFrame:
    """Read the pages as they are, with what a log has no column for: order and repeats of clicks.

    Returns
    -------
    DataFrame
        One row per page: ``query`` (with its region), ``documents`` (top first), ``clicks`` on them and clicks
        ``outside`` (on documents that are not on the page), each in order and with repeats.
    """
    file = locate(path, _FILES, CARD)
    text = read_text(file).strip().rstrip(";")
    pages = [_page(number, page, file) for number, page in enumerate(text.split(";"), start=1)]
    documents = pl.List(pl.String)
    schema = pl.Schema({"query": pl.String(), "documents": documents, "clicks": documents, "outside": documents})
    return pl.DataFrame(pages, schema=schema, orient="row")


def _page(number: int, text: str, file: Path) -> tuple[str, list[str], list[str], list[str]]:
    query, tab, rest = text.strip(" \r\n").partition("\t")
    listed, colon, clicked = rest.partition(":")
    documents, clicks = _identifiers(listed), _identifiers(clicked)
    if not (query and tab and colon and documents) or len(set(documents)) < len(documents):
        raise LogError(
            f"{file}, page {number}: expected 'query_region<TAB>doc,doc,... : click , click , ...' with no document "
            f"listed twice, got {text.strip()[:80]!r}; pages are joined with ';'"
        )
    inside = [document for document in clicks if document in documents]
    outside = [document for document in clicks if document not in documents]
    return query, documents, inside, outside


def _identifiers(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
