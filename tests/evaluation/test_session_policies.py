"""What policies are asked about logged sessions, and what is predicted for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from sojourn.errors import InvalidInputError
from sojourn.evaluation import (
    cross_fitted_to_go,
    target_propensity,
    with_states,
)
from sojourn.evaluation.stays import KeepsPlan
from sojourn.planning import SessionPolicy, plan_session
from sojourn.policies import PlackettLuce, Uniform
from sojourn.records import FloatArray, IntArray, LogBatch, Request, Rows, SessionMDP
from sojourn.simulation.sessions import SessionWorld, Visits, run_sessions

N_STEPS, PAGE = 4, 2


class Mean:
    """A regression that predicts what it saw on average, whatever the row."""

    def __init__(self, n_features: int) -> None:
        self.n_features = n_features
        self.value = 0.0

    def update(self, rows: Rows) -> None:
        assert rows.features.shape[1] == self.n_features
        self.value = float(rows.reward.mean())

    def mean(self, features: FloatArray) -> FloatArray:
        assert features.shape[1] == self.n_features
        return np.full(len(features), self.value)


def planner(world: SessionWorld) -> SessionPolicy[SessionMDP]:
    def mdp_of(request: Request, n_steps: int) -> SessionMDP:
        reward, hazard = world.reward_of(request.features), world.hazard_of(request.features)
        return SessionMDP(reward=reward, hazard=hazard, n_steps=n_steps)

    return SessionPolicy(
        mdp_of=mdp_of,
        planner=plan_session,
        sampler=PlackettLuce(temperature=0.3),
        n_steps=N_STEPS,
    )


def requests(batch: LogBatch, visits: Visits) -> Iterator[tuple[Request, IntArray]]:
    """All items of the session in each request, those shown before too: the state must keep them out."""
    m = visits.candidate.shape[1]
    for row, session in enumerate(batch.session.tolist()):
        chosen = batch.item[row][batch.shown[row]] - session * m
        yield (
            Request(
                request_id=str(row),
                item_ids=session * m + np.arange(m),
                features=visits.features[session],
                n_slots=len(chosen),
                session_id=str(session),
            ),
            chosen,
        )


@pytest.fixture(scope="module")
def world() -> SessionWorld:
    return SessionWorld.draw(reward_mean=0.3, hazard_mean=0.15, n_features=3, rng=np.random.default_rng(0))


def served(world: SessionWorld, n: int) -> tuple[LogBatch, Visits]:
    visits = Visits.draw(n, n_features=3, n_candidates=6, rng=np.random.default_rng(5))
    policy = planner(world)
    _, batch = run_sessions(policy, world, visits, page_size=PAGE, n_steps=N_STEPS, rng=np.random.default_rng(6))
    return batch, visits


@dataclass
class Feed:
    """Sessions of one or two uniformly random pages of two among six items, none twice."""

    features: FloatArray
    batch: LogBatch
    rounds: list[tuple[Request, IntArray]]

    @classmethod
    def draw(cls, n_sessions: int) -> Feed:
        rng = np.random.default_rng(2)
        features = rng.standard_normal((6, 3))
        session = np.repeat(np.arange(n_sessions), 1 + np.arange(n_sessions) % 2)
        page = np.concatenate([[0], np.diff(session) == 0]).astype(np.int64)
        order = rng.permuted(np.tile(np.arange(6), (n_sessions, 1)), axis=1).reshape(n_sessions, 3, 2)
        item = order[session, page]
        click = (rng.random(item.shape) < 0.5).astype(np.float64)
        batch = LogBatch(
            item=item,
            features=features[item],
            click=click,
            reward=click,
            position=np.tile([0, 1], (len(item), 1)),
            session=session,
            step=2 * page,
            propensity=np.asarray(1.0 / (6.0 - 2.0 * page[:, None] - np.arange(2)), dtype=np.float64),
        )
        rounds = []
        for row, (who, which) in enumerate(zip(session, page, strict=True)):
            fresh = np.setdiff1d(np.arange(6), order[who, :which])
            request = Request(
                request_id=str(row), item_ids=fresh, features=features[fresh], n_slots=2, step=2 * int(which)
            )
            rounds.append((request, np.searchsorted(fresh, item[row])))
        return cls(features, batch, rounds)


def test_a_policy_that_looks_at_the_session_is_asked_as_it_was(world: SessionWorld) -> None:
    batch, visits = served(world, 60)
    policy = planner(world)
    assert isinstance(policy, KeepsPlan)
    asked = list(with_states(requests(batch, visits), batch, policy))
    assert [request.step for request, _ in asked] == batch.step.tolist()
    target = target_propensity(policy, asked, width=PAGE, rng=np.random.default_rng(0))
    assert batch.propensity is not None
    np.testing.assert_allclose(target, batch.propensity)
    second = next(request for request, _ in asked if request.step)
    assert second.state is not None
    assert second.state.n_pages == 1
    assert len(second.state.planned)
    assert not set(second.state.item_ids.tolist()) & set(second.state.planned.tolist())
    first_row = int(np.flatnonzero(batch.session == int(second.session_id or 0))[0])
    np.testing.assert_array_equal(second.state.click, batch.click[first_row])


def test_predictions_are_of_other_sessions_and_of_all_that_is_to_come() -> None:
    feed = Feed.draw(40)
    batch = feed.batch
    target, (clicks, shown) = cross_fitted_to_go(
        batch,
        feed.rounds,
        Uniform(),
        rewards=(batch.click, np.ones_like(batch.click)),
        rng=np.random.default_rng(3),
        model=Mean,
        n_folds=40,
    )
    assert batch.propensity is not None
    np.testing.assert_allclose(target, batch.propensity)
    np.testing.assert_allclose(clicks.target, clicks.logged)  # what a regression says of all items alike
    n_items = 2 * np.bincount(batch.session)
    others = [np.concatenate([np.arange(n, 0, -1) for n in np.delete(n_items, code)]) for code in batch.session]
    np.testing.assert_allclose(shown.logged[:, 0], [each.mean() for each in others])


def test_the_expected_prediction_is_the_mean_over_the_policys_choices() -> None:
    feed = Feed.draw(30)

    class OfItem(Mean):
        """The item's first feature times that of what stands above it, with the slot and what was shown before."""

        def mean(self, features: FloatArray) -> FloatArray:
            value: FloatArray = features[:, 0] * (1.0 + features[:, 3]) + features[:, 7] + features[:, 8]
            return value

    told: list[tuple[int, int]] = []
    _, (found,) = cross_fitted_to_go(
        feed.batch,
        feed.rounds,
        Uniform(),
        rng=np.random.default_rng(3),
        model=OfItem,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(done, 45) for done in range(1, 46)]
    for row, (request, chosen) in enumerate(feed.rounds):
        x, before = request.features[:, 0], float(request.step > 0)
        top, below = x[chosen]
        rest = np.delete(x, chosen[0]).mean()
        assert found.logged[row] == pytest.approx([top + before, below * (1.0 + top) + 1.0 + before])
        assert found.target[row] == pytest.approx([x.mean() + before, rest * (1.0 + top) + 1.0 + before])


def test_rounds_that_are_not_the_logs_are_refused() -> None:
    feed = Feed.draw(10)
    rng = np.random.default_rng(3)
    with pytest.raises(InvalidInputError, match="rounds: expected 15, as in the log, got 3"):
        cross_fitted_to_go(feed.batch, feed.rounds[:3], Uniform(), rng=rng)
    with pytest.raises(InvalidInputError, match="shows 2 items, which is not what the log has there"):
        cross_fitted_to_go(feed.batch, [*feed.rounds, feed.rounds[0]], Uniform(), rng=rng)
    with pytest.raises(InvalidInputError, match="n_folds: expected 2 to 10"):
        cross_fitted_to_go(feed.batch, feed.rounds, Uniform(), rng=rng, n_folds=11)
