from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sojourn.errors import InvalidInputError, LogError, MissingPropensitiesError
from sojourn.evaluation import paired_difference, replay, replay_shown
from sojourn.records import Decision, Feedback, FloatArray, IntArray, LogBatch, Request

MakeLog = Callable[..., LogBatch]
Round = tuple[Request, Decision, Feedback]
P_CLICK = np.array([0.1, 0.5, 0.3])


class Scripted:
    """Shows candidates by a fixed score, or uniformly at random; counts what it learns from."""

    name = "scripted"

    def __init__(self, score: FloatArray | None = None) -> None:
        self.score = score
        self.learned: list[LogBatch] = []

    def act(self, request: Request, *, rng: np.random.Generator) -> Decision:
        m, k = len(request.item_ids), request.n_slots
        order = rng.permutation(m) if self.score is None else np.argsort(-self.score[request.item_ids])
        propensity = 1.0 / (m - np.arange(k)) if self.score is None else np.ones(k)
        return Decision(
            request_id=request.request_id,
            policy=self.name,
            chosen=order[:k],
            propensity=propensity,
            deterministic=self.score is not None,
        )

    def slate_probability(self, request: Request, chosen: IntArray, *, rng: np.random.Generator) -> FloatArray:
        raise NotImplementedError("replay never asks for probabilities")

    def update(self, batch: LogBatch) -> None:
        self.learned.append(batch)


def uniform_log(rng: np.random.Generator, n: int, k: int = 1) -> list[Round]:
    logger, rounds = Scripted(), []
    for i in range(n):
        request = Request(request_id=str(i), item_ids=np.arange(3), features=np.zeros((3, 1)), n_slots=k)
        decision = logger.act(request, rng=rng)
        click = (rng.random(k) < P_CLICK[decision.chosen]).astype(np.float64)
        rounds.append((request, decision, Feedback(request_id=str(i), click=click)))
    return rounds


def test_replay_keeps_and_learns_from_exactly_the_rounds_that_agree(rng: np.random.Generator) -> None:
    rounds = uniform_log(rng, 300)
    policy = Scripted(np.array([0.0, 1.0, 0.0]))
    done: list[tuple[int, int]] = []
    result = replay(policy, rounds, rng=rng, progress=lambda i, n: done.append((i, n)))
    agree = [feedback.click.sum() for _, decision, feedback in rounds if decision.chosen[0] == 1]
    np.testing.assert_array_equal(result.clicks, agree)
    assert result.value.value == pytest.approx(np.mean(agree))
    assert result.learning_curve[-1] == pytest.approx(np.mean(agree))
    assert (result.kept, result.kept_share, len(policy.learned)) == (len(agree), len(agree) / 300, len(agree))
    assert done[-1] == (300, 300)


def test_replay_of_the_best_item_finds_its_click_rate(rng: np.random.Generator) -> None:
    value = replay(Scripted(np.array([0.0, 1.0, 0.0])), uniform_log(rng, 6_000), rng=rng).value
    assert abs(value.value - 0.5) < 4.0 * value.stderr


def test_replay_of_a_uniform_policy_is_the_click_rate_of_the_log() -> None:
    # Whatever slate is logged, one of the 6 equally likely slates of the policy agrees: 1/6 of the rounds, at random.
    rng = np.random.default_rng(0)
    rounds = uniform_log(rng, 4_000, k=2)
    result = replay(Scripted(), rounds, rng=rng)
    log_mean = np.mean([feedback.click.sum() for _, _, feedback in rounds])
    assert abs(result.value.value - log_mean) < 4.0 * result.value.stderr
    assert abs(result.kept - 4_000 / 6) < 4.0 * np.sqrt(4_000 * 5 / 36)


def test_replay_refuses_a_log_that_is_not_uniform(rng: np.random.Generator) -> None:
    request, _, feedback = uniform_log(rng, 1)[0]
    favoured = Decision(
        request_id="0", policy="x", chosen=np.array([1]), propensity=np.array([0.8]), deterministic=False
    )
    with pytest.raises(MissingPropensitiesError, match="uniformly random"):
        replay(Scripted(), [(request, favoured, feedback)], rng=rng)


def test_replay_that_keeps_nothing_says_so(rng: np.random.Generator) -> None:
    with pytest.raises(LogError, match="kept 0 of 0"):
        replay(Scripted(), [], rng=rng)


def pages(make_log: MakeLog) -> LogBatch:
    click = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    item = np.array([[4, 2, 0], [1, 3, 2], [0, 4, -1]])
    return make_log(click, None, item=item, features=np.arange(9.0).reshape(3, 3, 1))


def test_replay_shown_credits_the_logged_click_wherever_it_was_logged(make_log: MakeLog) -> None:
    batch = pages(make_log)
    policy = Scripted(np.arange(5.0))  # larger item codes first
    done: list[tuple[int, int]] = []
    result = replay_shown(
        policy, batch, n_slots=2, rng=np.random.default_rng(0), progress=lambda i, n: done.append((i, n))
    )
    np.testing.assert_array_equal(result.clicks, [1.0, 1.0, 1.0])
    first, last = policy.learned[0], policy.learned[-1]
    np.testing.assert_array_equal(first.item, [[4, 2]])
    np.testing.assert_array_equal(first.features[0, :, 0], [0.0, 1.0])
    np.testing.assert_array_equal(first.position, [[0, 1]])
    np.testing.assert_array_equal(last.item, [[4, 0]])  # a page of two items, the hidden click never earned
    np.testing.assert_array_equal(last.click, [[1.0, 0.0]])
    assert done[-1] == (3, 3)


def test_policies_are_compared_on_the_same_pages(make_log: MakeLog) -> None:
    batch = pages(make_log)
    high, low = (
        replay_shown(Scripted(s * np.arange(5.0)), batch, n_slots=1, rng=np.random.default_rng(0)) for s in (1, -1)
    )
    np.testing.assert_array_equal(high.clicks - low.clicks, [0.0, 1.0, 1.0])
    difference = paired_difference(high, low)
    assert difference.value == pytest.approx(high.ctr_sum.value - low.ctr_sum.value)
    assert difference.stderr == pytest.approx(np.std([0, 1, 1], ddof=1) / np.sqrt(3))
    assert paired_difference(high, low, metric="set").value == pytest.approx(high.ctr_set.value - low.ctr_set.value)


def test_picking_by_true_attraction_loses_to_the_logged_order(make_log: MakeLog, rng: np.random.Generator) -> None:
    # Why the protocol is no value: exposure falls with the slot, and the order was a decent but noisy guess.
    n, k = 4_000, 8
    attraction = rng.uniform(0.05, 0.35, 50)
    item = np.array([rng.choice(50, k, replace=False) for _ in range(n)])
    noisy = attraction[item] + 0.1 * rng.normal(size=item.shape)
    item = np.take_along_axis(item, np.argsort(-noisy, axis=1), axis=1)
    seen = rng.random((n, k)) < np.arange(1.0, k + 1) ** -0.9
    click = (seen & (rng.random((n, k)) < attraction[item])).astype(np.float64)
    batch = make_log(click, None, item=item)
    oracle = replay_shown(Scripted(attraction), batch, n_slots=3, rng=rng)
    assert oracle.ctr_sum.value < click[:, :3].sum(axis=1).mean()


def test_replay_shown_refuses_bad_input(make_log: MakeLog, rng: np.random.Generator) -> None:
    batch = pages(make_log)
    with pytest.raises(InvalidInputError, match="n_slots"):
        replay_shown(Scripted(), batch, n_slots=0, rng=rng)
    result = replay_shown(Scripted(), batch, n_slots=1, rng=rng)
    other = replay_shown(Scripted(), batch.take(np.array([1, 0])), n_slots=1, rng=rng)
    with pytest.raises(InvalidInputError, match="same rounds"):
        paired_difference(result, other)
