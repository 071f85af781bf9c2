"""A stream of news in the likeness of Yahoo's R6B: few articles, many readers, always new items, truth known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from sojourn.errors import InvalidInputError
from sojourn.records import Categorical, FieldLayout, FloatArray, IntArray, MultiHot, Rows
from sojourn.simulation.news.block import NewsBlock, NewsLines
from sojourn.simulation.news.people import N_BITS, N_TASTES, draw_tastes, draw_users
from sojourn.simulation.news.pools import draw_pools
from sojourn.simulation.news.requests import NewsRequests
from sojourn.simulation.news.settings import NewsSettings

_WORLD, _BLOCKS, _LINES = range(1, 4)  # streams of random numbers; a last 0 would leave that of the seed alone
_N_PILOT: Final = 4_000  # people over whom the mean click rate is set
_MARGIN: Final = 1e-6  # log-odds; where all articles are alike, the bounds of b0 would be equal


def news_layout(n_articles: int) -> FieldLayout:
    """136 bits of the reader, and the article's code: 1 to ``n_articles``, 0 is unknown."""
    fields = (MultiHot("user", N_BITS), Categorical("article", n_articles + 1, belongs="item"))
    return FieldLayout(fields=fields, item_id="article")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NewsWorld:
    """Readers click article a with log-odds ``b0 + b_a + z_u . v_a``; `NewsWorld.draw` makes one from a seed.

    z_u are four tastes that hang on the reader's bits; b0 sets the mean click rate of a uniform policy over the stream.
    Blocks and lines depend on the seed and their number alone, so they may be asked for in any order, and again.

    Parameters
    ----------
    settings
    seed
    users : (u, 136) float32
        Bits of the readers.
    tastes : (u, 4) float
        z.
    appeal : (1 + articles,) float
        b0 + b_a by code; code 0 is no article.
    attraction : (1 + articles, 4) float
        v by code.
    pools : (b, m) int
        Codes of the candidates of each block, ascending.
    """

    settings: NewsSettings
    seed: int
    users: NDArray[np.float32]
    tastes: FloatArray
    appeal: FloatArray
    attraction: FloatArray
    pools: IntArray

    @classmethod
    def draw(cls, settings: NewsSettings, *, seed: int) -> Self:
        """The world of a seed >= 0."""
        rng = np.random.default_rng([seed, _WORLD])
        users = draw_users(settings.n_users, rng=rng)
        tastes = draw_tastes(users, rng=rng)
        pools = draw_pools(settings.n_blocks, settings.n_candidates, settings.n_articles, rng=rng)
        appeal = _appeal(settings, rng=rng)
        attraction = rng.normal(scale=settings.taste / np.sqrt(N_TASTES), size=(len(appeal), N_TASTES))
        share = np.bincount(pools.ravel(), minlength=len(appeal)) / pools.size
        log_odds = appeal + tastes[:_N_PILOT] @ attraction.T
        return cls(
            settings=settings,
            seed=seed,
            users=users,
            tastes=tastes,
            appeal=appeal + _intercept(log_odds, share, settings.mean_click_rate),
            attraction=attraction,
            pools=pools,
        )

    @property
    def layout(self) -> FieldLayout:
        """What the columns of the features stand for."""
        return news_layout(self.settings.n_articles)

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return self.settings.n_blocks

    def click_probability(self, users: IntArray, items: IntArray) -> FloatArray:
        """P(click) of readers (n,), by their rows, on articles (m,), by their codes, (n, m)."""
        probability: FloatArray = expit(self.tastes[users] @ self.attraction[items].T + self.appeal[items])
        return probability

    def click_rates(self) -> tuple[float, float]:
        """Click rate over the stream of a uniform policy, and of one that knows the truth; exact."""
        everyone = np.arange(len(self.users))
        blocks = (self.click_probability(everyone, pool) for pool in self.pools)
        rates = np.array([(truth.mean(), truth.max(axis=1).mean()) for truth in blocks])
        return float(rates[:, 0].mean()), float(rates[:, 1].mean())

    def block(self, number: int) -> NewsBlock:
        """The requests of block ``number``, from 0."""
        if not 0 <= number < self.n_blocks:
            raise InvalidInputError(f"block: expected a number from 0 to {self.n_blocks - 1}, got {number}")
        rng = np.random.default_rng([self.seed, _BLOCKS, number])
        users = rng.integers(len(self.users), size=self.settings.block_size)
        pool = self.pools[number]
        return NewsBlock(
            requests=self._requests(users, pool),
            click_probability=self.click_probability(users, pool),
            luck=rng.random((len(users), 1)),
        )

    def blocks(self) -> Iterator[NewsBlock]:
        """All blocks, in order of time."""
        return (self.block(number) for number in range(self.n_blocks))

    def warm_up(self) -> Rows:
        """The uniform log before the stream, as training rows: 88 MB where it has 80,000 lines."""
        lines = self._line_piece(0, self.settings.n_warm_up, np.random.default_rng([self.seed, _LINES]))
        return lines.rows()

    def lines(self, *, size: int = 1_000) -> Iterator[NewsLines]:
        """A uniform log of the world in pieces of up to ``size`` lines: the warm-up, then the stream.

        A block of the stream is as long as it takes to keep ``block_size`` lines in replay: m times as many lines.
        The readers are other ones than in `block`.
        """
        if size < 1:
            raise InvalidInputError(f"size: expected at least 1 line in a piece, got {size}")
        warm_up = self._line_piece(0, self.settings.n_warm_up, np.random.default_rng([self.seed, _LINES]))
        yield from _pieces(warm_up, size)
        n_lines = self.settings.n_candidates * self.settings.block_size
        for number in range(self.n_blocks):
            rng = np.random.default_rng([self.seed, _LINES, 1 + number])
            yield from _pieces(self._line_piece(number, n_lines, rng), size)

    def _line_piece(self, number: int, n_lines: int, rng: np.random.Generator) -> NewsLines:
        users = rng.integers(len(self.users), size=n_lines)
        shown = rng.integers(self.settings.n_candidates, size=n_lines)
        item = self.pools[number][shown]
        log_odds = self.appeal[item] + (self.tastes[users] * self.attraction[item]).sum(axis=1)
        click = (rng.random(n_lines) < expit(log_odds)).astype(np.float64)
        return NewsLines(requests=self._requests(users, self.pools[number]), shown=shown, click=click)

    def _requests(self, users: IntArray, pool: IntArray) -> NewsRequests:
        item = np.broadcast_to(pool, (len(users), len(pool)))
        return NewsRequests(
            context=self.users[users],
            item=item,
            candidate=np.broadcast_to(np.True_, item.shape),
            descriptions=np.empty((len(self.appeal), 0), dtype=np.float32),
        )


def _appeal(settings: NewsSettings, *, rng: np.random.Generator) -> FloatArray:
    """b_a by code, (1 + articles,), hits among them."""
    appeal = rng.normal(scale=settings.item_sd, size=1 + settings.n_articles)
    if settings.hit is not None:
        starts = np.arange(1, 1 + settings.n_articles, settings.hit_every)
        hits = starts + rng.integers(settings.hit_every, size=len(starts))
        appeal[hits[hits <= settings.n_articles]] = settings.hit
    return appeal


def _intercept(log_odds: FloatArray, share: FloatArray, mean: float) -> float:
    """The b0 with which a policy that shows item a to a ``share`` (a,) of the readers (u,) is clicked at that rate."""
    shown = share > 0.0
    log_odds, share = log_odds[:, shown], share[shown]
    low, high = logit(mean) - log_odds.max() - _MARGIN, logit(mean) - log_odds.min() + _MARGIN
    return float(brentq(lambda b0: float((expit(b0 + log_odds) @ share).mean()) - mean, low, high, xtol=1e-9))


def _pieces(lines: NewsLines, size: int) -> Iterator[NewsLines]:
    return (lines.take(slice(start, start + size)) for start in range(0, len(lines), size))
