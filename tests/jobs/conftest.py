"""A world of three items and two slots whose truth is known, and logs of it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import polars as pl
import pytest

from sojourn.jobs import learning
from sojourn.jobs.open_bandit import ImpressionShares
from sojourn.logs import Log
from sojourn.records import FloatArray

EXAMINATION = np.array([1.0, 0.5])
ATTRACTION = np.array([0.2, 0.4, 0.6])

MakeLog = Callable[..., Log]
Truth = Callable[[FloatArray], float]


@pytest.fixture(scope="session")
def tiny_log() -> MakeLog:
    """Every page of two items equally often, 10 x ``repeats`` times, each click rate exactly the world's own.

    The sums over the log are expectations, so an estimate that is unbiased gives the truth to the last digit.
    """

    def make(repeats: int, **columns: object) -> Log:
        pages = np.array(list(permutations(range(3), 2)))
        n = 10 * repeats
        item = np.repeat(pages, n, axis=0)
        rate = EXAMINATION * ATTRACTION[item]
        turn = np.tile(np.arange(n), len(pages))[:, None] % 10
        click = turn < np.round(10 * rate)
        order = np.random.default_rng(0).permutation(len(item))  # so that each part of the log holds every page
        frame = pl.DataFrame(
            {
                "request_id": np.repeat([f"r{each}" for each in range(len(item))], 2),
                "position": np.tile([0, 1], len(item)),
                "item_id": item[order].ravel(),
                "click": click[order].ravel().astype(int),
                "propensity": np.tile([1 / 3, 1 / 2], len(item)),
            }
        )
        expressions = {key: each if isinstance(each, pl.Expr) else pl.lit(each) for key, each in columns.items()}
        return Log.from_frame(frame.with_columns(**expressions), items=pl.DataFrame({"item_id": [0, 1, 2]}))

    return make


@pytest.fixture(scope="session")
def truth() -> Truth:
    """Expected clicks a page of a policy that shows items by shares (2, 3), the lower slot without the upper item."""

    def value(shares: FloatArray) -> float:
        total = 0.0
        for top, below in permutations(range(3), 2):
            if shares[0, top]:
                open_shares = shares[1] * (np.arange(3) != top)
                probability = shares[0, top] / shares[0].sum() * open_shares[below] / open_shares.sum()
                total += probability * float(EXAMINATION @ ATTRACTION[[top, below]])
        return total

    return value


@pytest.fixture
def best() -> ImpressionShares:
    """Shows item 2 above item 1."""
    return ImpressionShares(np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), name="best")


@pytest.fixture
def worst() -> ImpressionShares:
    """Shows item 0 above item 1."""
    return ImpressionShares(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), name="worst")


@pytest.fixture
def few_weight_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulations learn their examination weights from few pages, which is quick."""
    monkeypatch.setattr(learning, "WEIGHT_PAGES", 300)
