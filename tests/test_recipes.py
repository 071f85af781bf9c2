from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn import recipes
from sojourn.errors import InvalidInputError
from sojourn.exposure import NoCorrection
from sojourn.interfaces import Environment
from sojourn.models import BayesianRidge
from sojourn.policies import SlatePolicy
from sojourn.records import (
    Categorical,
    Decision,
    Feedback,
    FieldLayout,
    FloatArray,
    IntArray,
    LogBatch,
    Numeric,
    Request,
    Rows,
)
from sojourn.simulation import worlds

WEIGHTS = np.array([1.0, 0.6, 0.4])
TABLE = np.array([[1.0, 1.0, 0.9], [0.8, 1.0, 0.6], [0.7, 0.9, 0.3]])  # [position, last click above]
D, K, ALPHA = 3, 3, 0.4


def _request(rng: np.random.Generator, m: int = 8, *, coded: bool = False) -> Request:
    features = rng.random((m, D))
    if coded:
        features[:, 0] = 1 + np.arange(m)
    return Request(request_id="r", item_ids=np.arange(m), features=features, n_slots=K)


def _answer(rng: np.random.Generator) -> Feedback:
    return Feedback(request_id="r", click=(rng.random(K) < 0.4).astype(np.float64))


def _upper_bound(x: FloatArray, A: FloatArray, b: FloatArray) -> FloatArray:
    inverse = np.linalg.inv(A)
    bound: FloatArray = x @ inverse @ b + ALPHA * np.sqrt(np.einsum("ij,jk,ik->i", x, inverse, x))
    return bound


def _live(policies: list[SlatePolicy], world: Environment, n_rounds: int) -> list[list[IntArray]]:
    """The slates of each policy over a run, all taught what the first one showed."""
    slates: list[list[IntArray]] = [[] for _ in policies]
    for t in range(n_rounds):
        request = world.request(rng=np.random.default_rng([1, t]))
        decisions = [policy.act(request, rng=np.random.default_rng([2, t])) for policy in policies]
        feedback = world.feedback(request, decisions[0], rng=np.random.default_rng([3, t]))
        for policy, decision, mine in zip(policies, decisions, slates, strict=True):
            mine.append(decision.chosen)
            policy.update(LogBatch.of(request, decisions[0], feedback))
    return slates


class RidgePerSlot:
    """Independent ridges, each with a prior precision of its own: what a `BayesianRidge` stack has in common."""

    def __init__(self, n_features: int, prior_precisions: FloatArray) -> None:
        self.slots = [BayesianRidge(n_features=n_features, prior_precision=each) for each in prior_precisions]

    def update(self, rows: Rows) -> None:
        for slot, model in enumerate(self.slots):
            mine = rows.slot == slot
            model.update(
                Rows(
                    features=rows.features[mine],
                    reward=rows.reward[mine],
                    weight=rows.weight[mine],
                    slot=rows.slot[mine],
                )
            )

    def mean(self, features: FloatArray) -> FloatArray:
        return np.stack([model.mean(features) for model in self.slots])

    def std(self, features: FloatArray) -> FloatArray:
        return np.stack([model.std(features) for model in self.slots])

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.mean(features), self.std(features)

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return np.stack([model.sample(features, rng=rng) for model in self.slots])

    def at(self, slot: int) -> BayesianRidge:
        return self.slots[slot]


def test_iba_with_sample_weights_picks_exactly_like_iba_with_a_ridge_over_the_squared_weight() -> None:
    world = worlds.lin(seed=5, n_slots=K, n_items=60)
    d = world.request(rng=np.random.default_rng(0)).features.shape[1]
    weighted = recipes.iba_linucb_sw(n_features=d, n_slots=K, weights=WEIGHTS, prior_precision=0.7)
    plain = SlatePolicy(
        name="iba_linucb",
        model=RidgePerSlot(d, 0.7 / WEIGHTS**2),
        explorer=weighted.explorer,
        sampler=weighted.sampler,
        exposure=NoCorrection(),
    )
    mine, others = _live([weighted, plain], world, 300)
    assert_array_equal(mine, others)
    assert len({tuple(slate.tolist()) for slate in mine}) > 30


def test_iba_hybrid_is_iba_where_similarity_cannot_matter() -> None:
    world = worlds.lin(seed=6, n_slots=K, n_items=60)
    d = world.request(rng=np.random.default_rng(0)).features.shape[1]
    hybrid = recipes.iba_hybrid_ucb_sw(n_features=d, n_slots=K, weights=WEIGHTS, shared_precision=1e14)
    without = recipes.iba_linucb_sw(n_features=d, n_slots=K, weights=WEIGHTS)
    mine, others = _live([hybrid, without], world, 150)
    assert_array_equal(mine, others)


def test_iba_hybrid_ucb_sw_equals_algorithm_4_written_out(rng: np.random.Generator) -> None:
    policy = recipes.iba_hybrid_ucb_sw(
        n_features=D, n_slots=K, weights=WEIGHTS, alpha=ALPHA, prior_precision=0.8, shared_precision=1.5
    )
    m_z = K - 1
    A0, b0 = 1.5 * np.eye(m_z), np.zeros(m_z)
    A, B, b = (
        [0.8 * np.eye(D) for _ in range(K)],
        [np.zeros((D, m_z)) for _ in range(K)],
        [np.zeros(D) for _ in range(K)],
    )
    for _ in range(60):
        request = _request(rng)
        beta = np.linalg.solve(A0, b0)
        slate: list[int] = []
        shown: list[tuple[FloatArray, FloatArray]] = []
        for k in range(K):
            theta, inverse = np.linalg.solve(A[k], b[k] - B[k] @ beta), np.linalg.inv(A[k])
            bounds: dict[int, float] = {}
            similarity: dict[int, FloatArray] = {}
            for a in set(range(len(request.item_ids))) - set(slate):
                x, z = request.features[a], np.zeros(m_z)
                for j, other in enumerate(slate):
                    y = request.features[other]
                    z[j] = x @ y / (np.linalg.norm(x) * np.linalg.norm(y))
                v = z - B[k].T @ inverse @ x
                doubt = np.sqrt(x @ inverse @ x + v @ np.linalg.solve(A0, v))
                bounds[a], similarity[a] = theta @ x + beta @ z + ALPHA * doubt, z
            best = max(bounds, key=bounds.__getitem__)
            slate.append(best)
            shown.append((request.features[best], similarity[best]))
        decision, feedback = policy.act(request, rng=rng), _answer(rng)
        assert_array_equal(decision.chosen, slate)
        for k, ((x, z), r, w) in enumerate(zip(shown, feedback.click, WEIGHTS, strict=True)):
            A0 += B[k].T @ np.linalg.solve(A[k], B[k])  # U1
            b0 += B[k].T @ np.linalg.solve(A[k], b[k])
            A[k] += w**2 * np.outer(x, x)
            B[k] += w**2 * np.outer(x, z)
            b[k] += w * r * x
            A0 += w**2 * np.outer(z, z) - B[k].T @ np.linalg.solve(A[k], B[k])
            b0 += w * r * z - B[k].T @ np.linalg.solve(A[k], b[k])  # U7
        policy.update(LogBatch.of(request, decision, feedback))


def test_ubm_linucb_equals_the_paper_written_out(rng: np.random.Generator) -> None:
    policy = recipes.ubm_linucb(n_features=D, n_slots=K, weights=TABLE, alpha=ALPHA)
    A, b = np.eye(D), np.zeros(D)
    for _ in range(60):
        request = _request(rng)
        decision, feedback = policy.act(request, rng=rng), _answer(rng)
        assert_array_equal(decision.chosen, np.argsort(-_upper_bound(request.features, A, b))[:K])
        last = K - 1  # no click above
        for slot, row in enumerate(decision.chosen):
            x, w = request.features[row], TABLE[slot, last]
            A += w**2 * np.outer(x, x)
            b += w * feedback.click[slot] * x
            last = slot if feedback.click[slot] else last
        policy.update(LogBatch.of(request, decision, feedback))


class Scrolls:
    """Half of the people stop after the first slot; what is above a click was seen."""

    def fit(self, batch: LogBatch) -> Scrolls:
        return self

    def examination(self, batch: LogBatch) -> FloatArray:
        return np.where(batch.position > 0, 0.5, 1.0)

    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        above = np.cumsum(batch.click, axis=1) - batch.click
        clicked_below_the_top = np.cumsum(batch.click * (batch.position > 0), axis=1) > 0
        return np.where((above > 0) & clicked_below_the_top, 1.0, self.examination(batch))

    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        return np.maximum(batch.click, np.where(batch.position > 0, 0.2, 1.0))

    def click_probability(self, batch: LogBatch) -> FloatArray:
        return 0.1 * self.examination(batch)

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        return np.zeros(batch.n_rounds)

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        return np.zeros(batch.item.shape)


def _logged(rng: np.random.Generator, n: int = 30) -> LogBatch:
    return LogBatch(
        item=np.tile(np.arange(K), (n, 1)),
        features=rng.random((n, K, D)),
        click=(rng.random((n, K)) < 0.4).astype(np.float64),
        reward=rng.random((n, K)),
        position=np.tile(np.arange(K), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )


@pytest.mark.parametrize(
    ("recipe", "weigh", "scales_the_design"),
    [
        (recipes.linucb_k_posterior, Scrolls().posterior_examination, False),
        (recipes.linucb_k_scroll, Scrolls().filtered_examination, True),
    ],
)
def test_click_models_weight_as_their_recipe_says(
    recipe: Callable[..., SlatePolicy],
    weigh: Callable[[LogBatch], FloatArray],
    scales_the_design: bool,
    rng: np.random.Generator,
) -> None:
    policy, batch = recipe(n_features=D, n_slots=K, click_model=Scrolls()), _logged(rng)
    policy.update(batch)
    x, r, w = batch.features.reshape(-1, D), batch.reward.ravel(), weigh(batch).ravel()
    A = np.eye(D) + (x * (w**2 if scales_the_design else w)[:, None]).T @ x
    assert_allclose(policy.model.mean(np.eye(D)), np.linalg.solve(A, x.T @ (w * r)), atol=1e-12)


def test_a_model_of_similarity_products_learns_to_leave_copies_out(rng: np.random.Generator) -> None:
    # Two copies of the better item and one other; a copy below a copy is never clicked.
    features = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    request = Request(request_id="r", item_ids=np.arange(3), features=features, n_slots=2)
    aware = recipes.linucb_similarity_sw(n_features=2, n_slots=2, weights=[1.0, 0.8])
    blind = recipes.linucb_k_sw(n_features=2, n_slots=2, weights=[1.0, 0.8])
    for _ in range(600):
        decision = recipes.uniform().act(request, rng=rng)
        chance = np.where(decision.chosen < 2, 0.6, 0.2) * np.array([1.0, 0.8])
        chance[1] *= (decision.chosen < 2).sum() < 2
        click = (rng.random(2) < chance).astype(np.float64)
        for policy in (aware, blind):
            policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=click)))
    assert_array_equal(blind.act(request, rng=rng).chosen, [0, 1])
    assert_array_equal(aware.act(request, rng=rng).chosen, [0, 2])


@pytest.mark.parametrize("similarity", ["by_slot", "aggregate"])
@pytest.mark.parametrize("recipe", [recipes.iba_hybrid_ucb_sw, recipes.iba_hybrid_ts_sw, recipes.shared_hybrid_sw])
def test_similar_items_that_go_unclicked_push_one_another_apart(
    recipe: Callable[..., SlatePolicy], similarity: str, rng: np.random.Generator
) -> None:
    policy = recipe(n_features=2, n_slots=2, weights=[1.0, 1.0], similarity=similarity)
    features = np.array([[1.0, 0.0], [0.9, 0.1], [0.1, 0.9]])
    request = Request(request_id="r", item_ids=np.arange(3), features=features, n_slots=2)
    for slate, click in (([0, 1], [1.0, 0.0]), ([0, 2], [1.0, 1.0])) * 50:
        decision = Decision(
            request_id="r", policy="p", chosen=np.array(slate), propensity=np.ones(2), deterministic=True
        )
        policy.update(LogBatch.of(request, decision, Feedback(request_id="r", click=np.array(click))))
    assert set(policy.act(request, rng=rng).chosen) == {0, 2}


CODED = FieldLayout(fields=(Categorical("item", 9, "item"), Numeric("x", D - 1)), item_id="item")
COUNTING = ("count_ts", "default_deep_explorer")
ALL: dict[str, dict[str, Any]] = {
    name: {"click_model": Scrolls()}
    if name in ("linucb_k_posterior", "linucb_k_scroll")
    else {"layout": CODED}
    if name in COUNTING
    else {"weights": TABLE}
    if name == "ubm_linucb"
    else {"weights": WEIGHTS}
    if name.endswith("_sw") or name in ("default_bandit", "pbm_ucb")
    else {}
    for name in recipes.__all__
}


BASELINES = ("lambdamart", "logged_order", "pbm_ucb", "uniform")


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_carry_their_name(name: str) -> None:
    assert getattr(recipes, name)(n_features=D, n_slots=K, **ALL[name]).name == name


@pytest.mark.parametrize("name", [name for name in recipes.__all__ if name not in BASELINES])
def test_recipes_carry_their_name_and_refuse_what_they_cannot_learn(name: str, rng: np.random.Generator) -> None:
    policy = getattr(recipes, name)(n_features=D, n_slots=K, **ALL[name])
    assert policy.name == name
    assert policy.act(_request(rng, coded=name in COUNTING), rng=rng).policy == name
    with pytest.raises(InvalidInputError, match="features: expected"):
        policy.act(Request(request_id="r", item_ids=np.arange(4), features=rng.random((4, D + 1)), n_slots=2), rng=rng)


@pytest.mark.parametrize("name", [name for name in recipes.__all__ if name.startswith("iba")])
def test_slots_below_the_widest_page_are_refused(name: str, rng: np.random.Generator) -> None:
    policy, batch = getattr(recipes, name)(n_features=D, n_slots=K, **ALL[name]), _logged(rng)
    with pytest.raises(
        InvalidInputError, match=r"slot: expected 0 to 2 .*got 1 to 3|expected positions below 3.*got 3"
    ):
        policy.update(replace(batch, position=batch.position + 1))


def test_position_weights_are_no_browsing_weights() -> None:
    with pytest.raises(InvalidInputError, match=r"a table \(k, k\) .* got an array of shape \(3,\)"):
        recipes.ubm_linucb(n_features=D, n_slots=K, weights=WEIGHTS)
