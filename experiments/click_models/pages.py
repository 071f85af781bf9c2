"""The Yandex pages, and which of them are held out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sojourn.logs.datasets import yandex
from sojourn.records import BoolArray, IntArray, LogBatch

SplitName = Literal["by query", "by file"]
SHARE = 0.8  # of the pages to learn from; the rest comes later


@dataclass(frozen=True, kw_only=True, eq=False)
class Pages:
    """Pages of ten documents each, in the order of the log.

    Parameters
    ----------
    batch
        Items are pairs of query and document.
    query : (n,) int
        The query of each page.
    """

    batch: LogBatch
    query: IntArray

    def split(self, name: SplitName) -> Split:
        """Hold out the last fifth of each query's pages, or of the whole file, which has one query after another."""
        place = _place_in_query(self.query) if name == "by query" else np.arange(len(self.query)) / len(self.query)
        return Split(name=name, pages=self, train=place < SHARE)

    def thinned(self, n_pages: int) -> Pages:
        """About that many pages, evenly from the whole log."""
        rows = slice(None, None, max(len(self.query) // n_pages, 1))
        return Pages(batch=self.batch.take(rows), query=self.query[rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Which pages are there to learn from, (n,) bool."""

    name: SplitName
    pages: Pages
    train: BoolArray

    @property
    def known(self) -> LogBatch:
        """Pages to learn from."""
        return self.pages.batch.take(self.train)

    @property
    def held_out(self) -> LogBatch:
        """Pages to judge on."""
        return self.pages.batch.take(~self.train)


def load() -> Pages:
    """Read ``$SOJOURN_DATA``, or the folder of data that lies beside the repository where we develop."""
    folder = Path(os.environ.get("SOJOURN_DATA", Path(__file__).parents[3] / "shared" / "data")) / "yandex"
    if not folder.is_dir():
        raise SystemExit(f"no Yandex pages at {folder}: set SOJOURN_DATA to the folder that holds yandex/train.txt")
    log = yandex.load(folder).to_batch()
    queries = np.array([item_id.partition(":")[0] for item_id in log.item_ids])
    return Pages(batch=log.batch, query=np.unique(queries[log.batch.item[:, 0]], return_inverse=True)[1])


def _place_in_query(query: IntArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """How far each page lies in the log of its query, from 0 to below 1."""
    order = np.argsort(query, kind="stable")
    size = np.bincount(query)
    place = np.empty(len(query))
    place[order] = (np.arange(len(query)) - np.repeat(np.cumsum(size) - size, size)) / size[query[order]]
    return place
