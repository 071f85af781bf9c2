"""Where policies are tried: simulated feeds, result pages of fitted queries, and the logged Yandex pages."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import polars as pl

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Environment
from sojourn.logs.datasets import click_model_parameters, yandex
from sojourn.logs.datasets.click_model_parameters import PBM, ClickModelParameters
from sojourn.policies import LoggedOrder, Uniform
from sojourn.records import FloatArray, LogBatch, Request
from sojourn.simulation import Feed, LeavingReaders, QueryPages, ScrollReaders, simulate_log, worlds
from sojourn.simulation.taobao_like import taobao_like

LOG_SLOTS: Final = 12
"""Slots of a logged page of a feed."""

_RANDOM, _PRODUCTION, _LOGGED, _QUERIES = range(4)  # streams of random numbers
_N_QUERIES, _N_COMMONEST, _N_BLOCKS, _N_EVALUATED = 12, 2, 14, 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """One world with its people, and its truth.

    Parameters
    ----------
    environment
        Where policies act.
    attraction
        P(click | seen) of the candidates of a request, (m,).
    weights : (k,) float, optional
        P(examined) of each slot, where it depends on nothing else.
    hazard
        P(leaves | seen) of feature rows, where items drive people away.
    """

    environment: Environment
    attraction: Callable[[Request], FloatArray]
    weights: FloatArray | None = None
    hazard: Callable[[FloatArray], FloatArray] | None = None


class World(Protocol):
    """A kind of world, of which there is one for each seed."""

    def log_slots(self, n_slots: int) -> int:
        """Slots of a logged page, for policies that fill ``n_slots``."""
        ...

    def place(self, *, seed: int, n_slots: int) -> Place:
        """The world of a seed."""
        ...

    def random_log(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """Pages in uniformly random order, from which exposure is learned before the start."""
        ...

    def production_log(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """Pages as the production ranker ordered them, from before the start."""
        ...

    def logged_pages(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """Other such pages, to be replayed."""
        ...


@dataclass(frozen=True, kw_only=True)
class FeedWorld:
    """A simulated feed.

    Parameters
    ----------
    make
        Takes ``seed`` and ``n_slots``.
    n_candidates
        Of a request online; None for all items. Logs are always of all items.
    """

    make: Callable[..., Feed[Any]]
    n_candidates: int | None = None

    def log_slots(self, n_slots: int) -> int:
        """The paper's twelve."""
        return LOG_SLOTS

    def place(self, *, seed: int, n_slots: int) -> Place:
        """The feed and all that it knows."""
        feed = replace(self.make(seed=seed, n_slots=n_slots), n_candidates=self.n_candidates)
        readers = feed.readers
        leaving = isinstance(readers, LeavingReaders)
        return Place(
            environment=feed,
            attraction=lambda request: feed.attraction(request.features),
            weights=None if leaving else readers.reach if isinstance(readers, ScrollReaders) else readers.examination,
            hazard=readers.hazard if leaving else None,
        )

    def random_log(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """Random items in random order: drawing only as many candidates as there are slots comes to the same."""
        feed = replace(self.make(seed=seed, n_slots=n_slots), n_candidates=n_slots)
        return simulate_log(feed, Uniform(), n_pages, rng=np.random.default_rng([seed, _RANDOM]))

    def production_log(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """The best of all items, as the ranker sees it."""
        return self._log(n_pages, seed=seed, n_slots=n_slots, stream=_PRODUCTION)

    def logged_pages(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """The best of all items, for other people."""
        return self._log(n_pages, seed=seed, n_slots=n_slots, stream=_LOGGED)

    def _log(self, n_pages: int, *, seed: int, n_slots: int, stream: int) -> LogBatch:
        feed = self.make(seed=seed, n_slots=n_slots)
        return simulate_log(feed, LoggedOrder(), n_pages, rng=np.random.default_rng([seed, stream]))


@dataclass(frozen=True, kw_only=True)
class QueryWorld:
    """Result pages of a dozen of the 60 queries, drawn by the seed, under one of the click models fitted to them."""

    click_model: str

    def log_slots(self, n_slots: int) -> int:
        """No more than are shown: the best page of ten documents cannot be found under every model."""
        return n_slots

    def place(self, *, seed: int, n_slots: int) -> Place:
        """The pages; the candidates come in the search engine's order."""
        queries = self._queries(seed)
        attraction = np.concatenate([query.attraction for query in queries.values()])
        first = next(iter(queries.values()))
        return Place(
            environment=QueryPages(queries, n_slots=n_slots),
            attraction=lambda request: attraction[request.item_ids],
            weights=first.examination[:n_slots] if isinstance(first, PBM) else None,
        )

    def random_log(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """Documents of the query in random order."""
        return self._log(Uniform(), n_pages, seed=seed, n_slots=n_slots, stream=_RANDOM)

    def production_log(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """Documents in the search engine's order."""
        return self._log(LoggedOrder(), n_pages, seed=seed, n_slots=n_slots, stream=_PRODUCTION)

    def logged_pages(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """Documents in the search engine's order, for other people."""
        return self._log(LoggedOrder(), n_pages, seed=seed, n_slots=n_slots, stream=_LOGGED)

    def _log(self, policy: LoggedOrder | Uniform, n_pages: int, *, seed: int, n_slots: int, stream: int) -> LogBatch:
        pages = QueryPages(self._queries(seed), n_slots=n_slots)
        return simulate_log(pages, policy, n_pages, rng=np.random.default_rng([seed, stream]))

    def _queries(self, seed: int) -> dict[str, ClickModelParameters]:
        fitted = _fitted_queries(self.click_model)
        drawn = np.random.default_rng([seed, _QUERIES]).choice(len(fitted), size=_N_QUERIES, replace=False)
        names = sorted(fitted)
        return {names[number]: fitted[names[number]] for number in drawn}


@dataclass(frozen=True, kw_only=True)
class YandexWorld:
    """The pages of the two commonest Yandex queries in 14 parts, dealt out in turn: one for each seed, four for tuning.

    Features are one-hot, of query and document. There is no truth, and no random page: exposure is learned from the
    other parts, as they were logged.
    """

    def log_slots(self, n_slots: int) -> int:
        """All ten."""
        return 10

    def place(self, *, seed: int, n_slots: int) -> Place:
        """Nobody to ask."""
        raise InvalidInputError("yandex: expected the protocol of replay, got online choice; its people are gone")

    def random_log(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """Pages of the other parts, without features."""
        pages = _yandex_pages()
        others = np.flatnonzero(np.arange(pages.n_rounds) % _N_BLOCKS != _block(seed))
        return pages.take(others[:: max(len(others) // n_pages, 1)][:n_pages])

    def production_log(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """The same with features."""
        return _one_hot(self.random_log(n_pages, seed=seed, n_slots=n_slots))

    def logged_pages(self, n_pages: int, *, seed: int, n_slots: int) -> LogBatch:
        """Pages of the seed's part."""
        return _one_hot(_yandex_pages().take(slice(_block(seed), None, _N_BLOCKS)).take(slice(n_pages)))


WORLDS: Final[dict[str, World]] = {
    "lin": FeedWorld(make=worlds.lin),
    "logit": FeedWorld(make=worlds.logit),
    "scroll": FeedWorld(make=worlds.scroll),
    "cannibal": FeedWorld(make=worlds.cannibal),
    "weakltr": FeedWorld(make=worlds.weakltr),
    "taobao_like": FeedWorld(make=taobao_like, n_candidates=200),
    "leaving": FeedWorld(make=worlds.leaving),
    "leaving, strong": FeedWorld(make=partial(worlds.leaving, slope=2.0)),
    "leaving, all alike": FeedWorld(make=partial(worlds.leaving, slope=0.0)),
    "pages, PBM": QueryWorld(click_model="pbm"),
    "pages, UBM": QueryWorld(click_model="ubm"),
    "pages, DBN": QueryWorld(click_model="dbn"),
    "pages, CCM": QueryWorld(click_model="ccm"),
    "yandex": YandexWorld(),
}
"""Worlds by name."""


def absent() -> dict[str, str]:
    """Worlds whose data are not there, each with a sentence that says so."""
    gone = {}
    for name, world in WORLDS.items():
        folder = {QueryWorld: "yandex_60q", YandexWorld: "yandex"}.get(type(world))
        if folder is not None and not (_data() / folder).is_dir():
            gone[name] = f"{name}: left out, for there is no folder {folder} in the data; set SOJOURN_DATA to theirs"
    return gone


def _data() -> Path:
    return Path(os.environ.get("SOJOURN_DATA", Path(__file__).parents[3] / "shared" / "data"))


@cache
def _fitted_queries(click_model: str) -> dict[str, ClickModelParameters]:
    parameters = click_model_parameters.load(_data() / "yandex_60q")
    queries: dict[str, ClickModelParameters] = getattr(parameters, click_model)
    return queries


def _block(seed: int) -> int:
    """Seeds 0 to 9 have the first ten parts; those of tuning, 1000 to 1003, the last four."""
    return seed if seed < _N_EVALUATED else _N_EVALUATED + seed % (_N_BLOCKS - _N_EVALUATED)


def _one_hot(pages: LogBatch) -> LogBatch:
    return replace(pages, features=np.eye(_yandex_pages().item.max() + 1)[pages.item])


@cache
def _yandex_pages() -> LogBatch:
    """Pages of the commonest queries, without features."""
    pages = yandex.read_pages(_data() / "yandex")
    common = pages["query"].value_counts(sort=True)["query"].head(_N_COMMONEST)
    pages = pages.filter(pl.col("query").is_in(common.implode()))
    page = np.arange(len(pages))
    rows = pages.with_columns(page=page).explode("documents")
    clicked = rows["clicks"].list.contains(rows["documents"]).to_numpy().reshape(len(pages), -1).astype(np.float64)
    item = rows.select(pl.struct("query", "documents").rank("dense") - 1).to_series().to_numpy()
    return LogBatch(
        item=item.reshape(clicked.shape).astype(np.int64),
        features=np.zeros((*clicked.shape, 0)),
        click=clicked,
        reward=clicked,
        position=np.tile(np.arange(clicked.shape[1]), (len(pages), 1)),
        session=page,
        step=np.zeros_like(page),
    )
