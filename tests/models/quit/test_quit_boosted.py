from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.models.boosting import Boosting
from sojourn.models.quit import BoostedNoisyOr, NoisyOr, page_log_loss
from sojourn.records import LogBatch

World = Callable[..., Any]


def bent(seed: int, *, n_sessions: int) -> LogBatch:
    """Pages of three items of one feature, which drives people away where it is far from 0."""
    rng = np.random.default_rng(seed)
    n = n_sessions * 30
    x = rng.uniform(-2, 2, size=(n, 3, 1))
    session, page = np.divmod(np.arange(n), 30)
    hazard = expit(3 * np.abs(x[..., 0]) - 6)
    leaves = rng.random(n) < 1 - (1 - hazard).prod(axis=1)
    before = np.cumsum(leaves) - leaves
    there = before == before[session * 30]  # nobody left earlier in the session
    flat = np.zeros((n, 3))
    log = LogBatch(
        item=np.zeros((n, 3), dtype=np.int64),
        features=x,
        click=flat,
        reward=flat,
        position=np.tile(np.arange(3), (n, 1)),
        session=session,
        step=3 * page,
        quits=leaves,
    )
    return log.take(there)


def test_trees_find_what_a_line_misses() -> None:
    train, test = bent(1, n_sessions=700), bent(2, n_sessions=700)
    boosted, line = BoostedNoisyOr(boosting=Boosting(n_leaves=8, min_rows=30)).fit(train), NoisyOr().fit(train)
    x = np.linspace(-2, 2, 101)[:, None]
    truth = expit(3 * np.abs(x[:, 0]) - 6)
    errors = [np.abs(model.hazard_of(x) - truth).mean() for model in (boosted, line)]
    assert errors[0] < 0.3 * errors[1]
    assert page_log_loss(boosted, test) < page_log_loss(line, test) - 0.03
    wanted = (1 - boosted.hazard_of(test.features)).prod(axis=1)
    np.testing.assert_allclose(boosted.page_survival(test), wanted, rtol=1e-10)


def test_where_the_line_is_right_few_trees_are_added(world: World) -> None:
    made = world(3, n_sessions=600)
    test = made.other
    boosted, line = BoostedNoisyOr().fit(made.log), NoisyOr().fit(made.log)
    assert boosted.n_trees < 40
    assert page_log_loss(boosted, test) < page_log_loss(line, test) + 0.005


def test_training_is_the_same_every_time_and_survives_as_text(world: World) -> None:
    log = world(0).log
    first, again = (BoostedNoisyOr(boosting=Boosting(min_rows=20, seed=3)).fit(log) for _ in range(2))
    back = BoostedNoisyOr.from_json(first.to_json())
    for other in (again, back):
        np.testing.assert_array_equal(other.hazard_of(log.features), first.hazard_of(log.features))
    assert back.n_trees == first.n_trees
    apart = BoostedNoisyOr(boosting=Boosting(min_rows=20, seed=4)).fit(log)
    assert (apart.hazard_of(log.features) != first.hazard_of(log.features)).any()


def test_bad_input_is_named(world: World) -> None:
    log = world(0).log
    with pytest.raises(InvalidInputError, match="n_trees, n_leaves"):
        Boosting(n_leaves=1)
    with pytest.raises(InvalidInputError, match="ridge"):
        BoostedNoisyOr(ridge=0.0)
    with pytest.raises(InvalidInputError, match="call fit first"):
        BoostedNoisyOr().hazard_of(np.ones((1, 3)))
    with pytest.raises(InvalidInputError, match="features: expected at least one"):
        BoostedNoisyOr().fit(replace(log, features=log.features[:, :, :0]))
    with pytest.raises(InvalidInputError, match=r"expected shape \(..., 3\)"):
        BoostedNoisyOr().fit(log).hazard_of(np.ones((1, 2)))
