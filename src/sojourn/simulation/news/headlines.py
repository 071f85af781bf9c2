"""Real cold starts: the randomised headline tests of Upworthy, one after another, each a short bandit of new arms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.records import Categorical, FieldLayout, FloatArray, IntArray, MultiHot, Rows
from sojourn.simulation.news.block import NewsBlock
from sojourn.simulation.news.requests import NewsRequests
from sojourn.simulation.news.settings import expect_at_least
from sojourn.simulation.news.shrinkage import shrunk_click_rates
from sojourn.simulation.news.text import hashed_words

_WARM_UP, _BLOCKS = range(1, 3)  # streams of random numbers; a last 0 would leave that of the seed alone


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadlineSettings:
    """How tests are played.

    Parameters
    ----------
    n_parallel
        Tests that run at the same time; the next ones start together when they end.
    test_blocks
        Blocks that a test runs for.
    n_pages, page_visitors
        Pages that are made for a test in each block, and the visitors that see each of them before it is made anew:
        a site caches its pages, and decides for a page rather than a visitor.
    n_warm_up
        Tests at the start that a uniform policy runs.
    n_columns
        Columns that the words of a headline are hashed to.
    """

    n_parallel: int = 256
    test_blocks: int = 20
    n_pages: int = 4
    page_visitors: int = 64
    n_warm_up: int = 128
    n_columns: int = 512

    def __post_init__(self) -> None:
        expect_at_least(self, n_parallel=1, test_blocks=1, n_pages=1, page_visitors=1, n_warm_up=1, n_columns=1)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class HeadlineTests:
    """Tests in order of time; every arm is a new item with a code of its own, 1 onwards, and never returns.

    A code that a later arm took over would hand down the embedding and the count of a dead one. An arm's embedding is
    of use while its test runs: there it holds what the words of the headline do not tell. (In nearly half of the tests
    the arms share one headline and differ in their picture alone.)

    The truth is each arm's click rate in the archive, shrunk (`shrunk_click_rates`); clicks are drawn from it.

    Parameters
    ----------
    settings
    seed
        Of the visitors.
    click_rate : (1 + arms,) float
        By code; 0 for code 0.
    words : (1 + arms, columns) float32
        Hashed words of the headline, by code.
    first : (1 + tests,) int
        Code of the first arm of each test, and one past the last code.
    """

    settings: HeadlineSettings
    seed: int
    click_rate: FloatArray
    words: NDArray[np.float32]
    first: IntArray

    @classmethod
    def of(cls, arms: pl.DataFrame, *, seed: int, settings: HeadlineSettings | None = None) -> Self:
        """The tests of a table as `sojourn.logs.datasets.upworthy.load` gives it, by week and then by name.

        A test's name starts with the second in which it was made, in hexadecimal.
        """
        settings = settings or HeadlineSettings()
        arms = arms.sort(pl.col("test_week").min().over("test_id"), "test_id", "arm")
        test = arms["test_id"].rle_id().cast(pl.Int64).to_numpy()
        n_tests = arms["test_id"].n_unique()
        if n_tests <= settings.n_warm_up:
            raise InvalidInputError(
                f"arms: expected more tests than the {settings.n_warm_up} of the warm-up, got {n_tests}"
            )
        clicks, impressions = (arms[name].to_numpy().astype(np.float64) for name in ("clicks", "impressions"))
        return cls(
            settings=settings,
            seed=seed,
            click_rate=np.concatenate([[0.0], shrunk_click_rates(clicks, impressions, test)]),
            words=hashed_words(["", *arms["headline"].fill_null("")], n_columns=settings.n_columns),
            first=1 + np.searchsorted(test, np.arange(n_tests + 1)),
        )

    @property
    def layout(self) -> FieldLayout:
        """What the columns of the features stand for."""
        fields = (
            MultiHot("headline", self.settings.n_columns, belongs="item"),
            Categorical("arm", len(self.click_rate), belongs="item"),
        )
        return FieldLayout(fields=fields, item_id="arm")

    @property
    def n_tests(self) -> int:
        """Tests that are played, those of the warm-up left out."""
        return len(self.first) - 1 - self.settings.n_warm_up

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return -(-self.n_tests // self.settings.n_parallel) * self.settings.test_blocks

    def block(self, number: int) -> NewsBlock:
        """The requests of block ``number``, from 0: the pages of all tests that run, in turn."""
        if not 0 <= number < self.n_blocks:
            raise InvalidInputError(f"block: expected a number from 0 to {self.n_blocks - 1}, got {number}")
        begin = self.settings.n_warm_up + number // self.settings.test_blocks * self.settings.n_parallel
        tests = np.arange(begin, min(begin + self.settings.n_parallel, len(self.first) - 1))
        return self._block(np.tile(tests, self.settings.n_pages), np.random.default_rng([self.seed, _BLOCKS, number]))

    def blocks(self) -> Iterator[NewsBlock]:
        """All blocks, in order of time."""
        return (self.block(number) for number in range(self.n_blocks))

    def warm_up(self) -> Rows:
        """What a uniform policy saw in the first tests."""
        rng = np.random.default_rng([self.seed, _WARM_UP])
        n_pages = self.settings.n_pages * self.settings.test_blocks
        block = self._block(np.tile(np.arange(self.settings.n_warm_up), n_pages), rng)
        return block.rows(rng.integers(block.requests.candidate.sum(axis=1)))

    def _block(self, tests: IntArray, rng: np.random.Generator) -> NewsBlock:
        n_arms = self.first[tests + 1] - self.first[tests]
        candidate = np.arange(n_arms.max()) < n_arms[:, None]
        item = np.where(candidate, self.first[tests][:, None] + np.arange(n_arms.max()), 0)
        requests = NewsRequests(
            context=np.empty((len(tests), 0), dtype=np.float32),
            item=item,
            candidate=candidate,
            descriptions=self.words,
        )
        luck = rng.random((len(tests), self.settings.page_visitors))
        return NewsBlock(requests=requests, click_probability=self.click_rate[item], luck=luck)
