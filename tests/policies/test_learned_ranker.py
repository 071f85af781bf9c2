from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn.errors import InvalidInputError, MissingExtraError
from sojourn.policies import LambdaMARTRanker
from sojourn.records import NO_ITEM, LogBatch, Request

D, K = 3, 4


def _log(rng: np.random.Generator, n: int, *, k: int = K) -> LogBatch:
    """Pages on which the item with the largest second feature, and that alone, is clicked."""
    features = rng.random((n, k, D))
    click = (features[..., 1] == features[..., 1].max(axis=1, keepdims=True)).astype(np.float64)
    return LogBatch(
        item=rng.integers(100, size=(n, k)),
        features=features,
        click=click,
        reward=click,
        position=np.tile(np.arange(k), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )


def _request(rng: np.random.Generator, *, m: int = 30, k: int = K) -> Request:
    return Request(request_id="r", item_ids=np.arange(m), features=rng.random((m, D)), n_slots=k)


def _ranker(*, min_rounds: int = 20, max_rounds: int = 1000, seed: int = 0) -> LambdaMARTRanker:
    return LambdaMARTRanker(min_rounds=min_rounds, max_rounds=max_rounds, n_trees=10, n_leaves=6, seed=seed)


def test_the_order_of_the_log_is_kept_until_the_first_training(rng: np.random.Generator) -> None:
    ranker, request = _ranker(), _request(rng)
    ranker.update(_log(rng, 19))
    assert ranker.trained_at == 0
    assert_array_equal(ranker.act(request, rng=rng).chosen, np.arange(K))


def test_it_finds_the_feature_that_decides(rng: np.random.Generator) -> None:
    ranker = _ranker()
    ranker.update(_log(rng, 600))
    best = [_request(rng) for _ in range(50)]
    value = [request.features[ranker.act(request, rng=rng).chosen, 1].mean() for request in best]
    assert np.mean(value) > 0.85  # at random .5; the best four of thirty have .92 on average


def test_it_trains_anew_when_the_pages_have_doubled(rng: np.random.Generator) -> None:
    ranker, trained_at = _ranker(), []
    for _ in range(100):
        ranker.update(_log(rng, 1))
        trained_at.append(ranker.trained_at)
    assert sorted(set(trained_at)) == [0, 20, 40, 80]


def test_pages_with_nothing_to_prefer_are_dropped_and_counted(rng: np.random.Generator) -> None:
    ranker, log = _ranker(), _log(rng, 30)
    click = log.click.copy()
    click[:6], click[6:10] = 0.0, 1.0
    ranker.update(replace(log, click=click))
    assert (ranker.n_seen, ranker.n_dropped) == (30, 10)
    assert ranker.trained_at == 30  # 20 pages are left
    ranker.update(_log(rng, 5, k=1))
    assert ranker.n_dropped == 15


def test_the_newest_pages_stay(rng: np.random.Generator) -> None:
    log = _log(rng, 150)
    whole, end = _ranker(max_rounds=50), _ranker(max_rounds=50)
    whole.update(log)
    end.update(log.take(slice(100, None)))
    request = _request(rng)
    assert_array_equal(whole.act(request, rng=rng).chosen, end.act(request, rng=rng).chosen)
    assert (whole.trained_at, end.trained_at) == (150, 50)


def test_the_same_log_gives_the_same_ranker(rng: np.random.Generator) -> None:
    log, request = _log(rng, 200), _request(rng)
    slates = []
    for _ in range(2):
        ranker = _ranker(seed=3)
        ranker.update(log)
        slates.append(ranker.act(request, rng=rng).chosen)
    assert_array_equal(slates[0], slates[1])


def test_probabilities_are_those_of_the_slate_shown(rng: np.random.Generator) -> None:
    ranker, request = _ranker(), _request(rng, m=5, k=2)
    for _ in range(2):  # before and after training
        decision = ranker.act(request, rng=rng)
        assert decision.deterministic
        assert_array_equal(ranker.slate_probability(request, decision.chosen, rng=rng), 1.0)
        assert_array_equal(ranker.slate_probability(request, decision.chosen[::-1], rng=rng)[0], 0.0)
        first, second = decision.chosen
        assert_array_equal(ranker.slot_distribution(request, np.array([first]), rng=rng), np.eye(5)[second])
        assert_array_equal(ranker.slot_distribution(request, np.array([second]), rng=rng), np.zeros(5))
        ranker.update(_log(rng, 100))


def test_equal_candidates_come_in_their_order(rng: np.random.Generator) -> None:
    ranker = _ranker()
    ranker.update(_log(rng, 100))
    alike = replace(_request(rng), features=np.ones((30, D)))
    assert_array_equal(ranker.act(alike, rng=rng).chosen, np.arange(K))


def test_empty_slots_teach_nothing(rng: np.random.Generator) -> None:
    log, request = _log(rng, 100), _request(rng)
    item, click = log.item.copy(), log.click.copy()
    item[:, -1] = NO_ITEM
    padded, narrow = _ranker(), _ranker()
    padded.update(replace(log, item=item, click=click))
    narrow.update(log.first_slots(K - 1))
    assert padded.n_dropped == narrow.n_dropped > 0
    assert_array_equal(padded.act(request, rng=rng).chosen, narrow.act(request, rng=rng).chosen)


def test_what_it_learned_from_is_copied(rng: np.random.Generator) -> None:
    log, request = _log(rng, 19), _request(rng)
    spoiled, twin = _ranker(), _ranker()
    more = _log(rng, 21)
    twin.update(log)
    kept = log.features.copy()
    spoiled.update(log)
    log.features[:] = 0.0
    for ranker in (spoiled, twin):
        ranker.update(more)
    assert_array_equal(spoiled.act(request, rng=rng).chosen, twin.act(request, rng=rng).chosen)
    assert_allclose(spoiled._pages[0][0], kept[0])


def test_without_lightgbm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingExtraError, match=r"needs lightgbm.*sojourn\[learn\]"):
        _ranker()


@pytest.mark.parametrize(
    "build",
    [
        lambda: LambdaMARTRanker(min_rounds=0),
        lambda: LambdaMARTRanker(min_rounds=20, max_rounds=10),
        lambda: LambdaMARTRanker(n_trees=0),
        lambda: LambdaMARTRanker(n_leaves=1),
        lambda: LambdaMARTRanker(learning_rate=0.0),
    ],
)
def test_bad_settings_are_refused(build: Callable[[], object]) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        build()


def test_features_of_another_width_are_refused(rng: np.random.Generator) -> None:
    ranker, log = _ranker(), _log(rng, 30)
    with pytest.raises(InvalidInputError, match="ranks by features alone"):
        ranker.update(replace(log, features=log.features[..., :0]))
    ranker.update(log)
    with pytest.raises(InvalidInputError, match="expected 3 as in the pages before, got 2"):
        ranker.update(replace(log, features=log.features[..., :2]))
    request = _request(rng)
    with pytest.raises(InvalidInputError, match="got 2"):
        ranker.act(replace(request, features=request.features[:, :2]), rng=rng)


def test_it_is_stored_and_restored(rng: np.random.Generator) -> None:
    taught, fresh, request = _ranker(), _ranker(), _request(rng)
    taught.update(_log(rng, 100))
    fresh.restore(taught.state())
    assert fresh.trained_at == taught.trained_at > 0
    assert_array_equal(fresh.act(request, rng=rng).chosen, taught.act(request, rng=rng).chosen)
    with pytest.raises(InvalidInputError, match="expected trees"):
        fresh.restore({"precision": np.eye(2)})
