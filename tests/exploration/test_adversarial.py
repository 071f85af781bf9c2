"""AGE on models whose log-odds, gradients and doubts are known in closed form."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.exploration import AdversarialGradient
from sojourn.models import BayesianRidge
from sojourn.records import FloatArray

SLOPE = np.array([0.6, -0.8, 0.5])
NORM = float(np.linalg.norm(SLOPE))
X = np.random.default_rng(5).normal(size=(6, 3))


def curved(h: Tensor) -> Tensor:
    return (h**2).sum(dim=-1) - h[..., 0] * h[..., 1]


def curved_gradient(h: FloatArray) -> FloatArray:
    return 2.0 * h - np.stack((h[:, 1], h[:, 0], np.zeros(len(h))), axis=1)


def score(model: Any, features: FloatArray = X, *, seed: int = 3, **settings: Any) -> FloatArray:
    explorer = AdversarialGradient(**{"strength": 2.0, "uncertainty_as": "bound", **settings})
    return explorer.score(model, features, rng=np.random.default_rng(seed))


def doubt(features: FloatArray = X, *, std: float = 0.5) -> FloatArray:
    return std * (1.0 + features[..., 0] ** 2)


@pytest.mark.parametrize("first_order", [False, True])
def test_a_linear_prediction_rises_by_strength_doubt_and_norm(analytic: Any, first_order: bool) -> None:
    bound = score(analytic(), first_order=first_order)
    assert_allclose(bound, X @ SLOPE - 1.0 + 2.0 * doubt() * NORM)
    drawn = doubt() * np.random.default_rng(3).normal(size=len(X))
    sample = score(analytic(), uncertainty_as="sample", first_order=first_order)
    assert_allclose(sample, X @ SLOPE - 1.0 + 2.0 * drawn * NORM)
    assert len(set(np.sign(drawn))) == 2  # both signs were there


def test_a_curved_prediction_by_hand(analytic: Any) -> None:
    slope = curved_gradient(X)
    g = slope / np.linalg.norm(slope, axis=1, keepdims=True)
    length = 2.0 * doubt()
    moved = X + length[:, None] * g
    assert_allclose(score(analytic(log_odds=curved)), curved(torch.from_numpy(moved)).numpy())
    first_order = score(analytic(log_odds=curved), first_order=True)
    assert_allclose(first_order, curved(torch.from_numpy(X)).numpy() + length * np.linalg.norm(slope, axis=1))

    g = g + curved_gradient(X + g)  # equation 14, the second of two steps
    g /= np.linalg.norm(g, axis=1, keepdims=True)
    moved = X + length[:, None] * g
    assert_allclose(score(analytic(log_odds=curved), n_steps=2), curved(torch.from_numpy(moved)).numpy())


def test_the_shift_goes_with_the_mean(analytic: Any) -> None:
    for settings in ({}, {"first_order": True}, {"n_steps": 3}):
        assert_allclose(score(analytic(shifted_by=0.7), **settings), score(analytic(), **settings) + 0.7)


def test_in_probabilities_by_hand(analytic: Any) -> None:
    s = X @ SLOPE - 0.3  # the shift is part of the prediction
    p = expit(s)
    model = analytic(shifted_by=0.7)

    drawn = doubt() * np.random.default_rng(3).normal(size=len(X))
    off = expit(s + drawn) - p
    sample: dict[str, Any] = {"space": "probability", "uncertainty_as": "sample"}
    assert_allclose(score(model, **sample), expit(s + 2.0 * off * NORM))
    assert_allclose(score(model, **sample, first_order=True), p + 2.0 * off * p * (1.0 - p) * NORM)

    std = p * (1.0 - p) * doubt()
    assert_allclose(score(model, space="probability"), expit(s + 2.0 * std * NORM))
    assert_allclose(score(model, space="probability", first_order=True), p + 2.0 * std * p * (1.0 - p) * NORM)


def test_projected_steps_in_probabilities_weigh_the_gradient(analytic: Any) -> None:
    def slope(h: FloatArray) -> FloatArray:
        p = expit(curved(torch.from_numpy(h)).numpy())[:, None]
        weighed: FloatArray = p * (1.0 - p) * curved_gradient(h)
        return weighed

    g = np.zeros_like(X)
    for _ in range(2):
        g = g + slope(X + g)
        g /= np.linalg.norm(g, axis=1, keepdims=True)
    p = expit(curved(torch.from_numpy(X)).numpy())
    moved = X + (2.0 * doubt() * p * (1.0 - p))[:, None] * g
    came = score(analytic(log_odds=curved), space="probability", n_steps=2)
    assert_allclose(came, expit(curved(torch.from_numpy(moved)).numpy()))


def test_the_space_decides_who_explores_most(analytic: Any) -> None:
    """Two items of equal doubt in log-odds, a rare click and an even one: as probabilities the even one gains more."""
    rows = np.array([[0.0, 0.0, -6.0], [0.0, 0.0, 2.0]])  # log-odds of -4 and 0
    gain = score(analytic(), rows) - analytic().mean(rows)
    assert_allclose(gain[0], gain[1])
    gain = score(analytic(), rows, space="probability") - expit(analytic().mean(rows))
    assert gain[1] > 10.0 * gain[0] > 0.0


@pytest.mark.parametrize("space", ["log_odds", "probability"])
def test_the_first_order_is_off_by_the_square_of_the_strength(analytic: Any, space: str) -> None:
    model = analytic(log_odds=curved)

    def error(strength: float) -> FloatArray:
        both = [score(model, strength=strength, space=space, first_order=first_order) for first_order in (True, False)]
        return np.subtract(*both)

    assert_allclose(error(1e-3) / error(5e-4), 4.0, rtol=2e-2)


@pytest.mark.parametrize(("space", "wanted"), [("log_odds", lambda s: s), ("probability", expit)])
def test_strength_zero_is_the_mean_and_draws_nothing(analytic: Any, space: str, wanted: Any) -> None:
    model = analytic(shifted_by=0.1)
    for settings in ({}, {"n_steps": 2}, {"first_order": True}, {"gate": "learned"}):
        for uncertainty_as in ("bound", "sample"):
            came = score(model, strength=0.0, space=space, uncertainty_as=uncertainty_as, **settings)
            assert_array_equal(came, wanted(model.mean(X)))
    assert model.passed == model.drawn == []
    assert not AdversarialGradient(strength=0.0, uncertainty_as="sample").randomized


def test_samples_draw_and_bounds_do_not(analytic: Any) -> None:
    assert AdversarialGradient(strength=1.0, uncertainty_as="sample").randomized
    assert not AdversarialGradient(strength=1.0, uncertainty_as="bound").randomized
    one, same, other = (score(analytic(), uncertainty_as="sample", seed=seed) for seed in (3, 3, 4))
    assert_array_equal(one, same)
    assert (one != other).all()
    assert_array_equal(score(analytic(), seed=3), score(analytic(), seed=4))


def test_samples_average_to_the_mean(analytic: Any) -> None:
    rows = np.tile(X, (4_000, 1, 1))
    for settings in ({"first_order": True}, {"strength": 0.05}):  # for small steps the second order hardly counts
        draws = score(analytic(log_odds=curved), rows, uncertainty_as="sample", **settings)
        z = (draws - analytic(log_odds=curved).mean(rows)).mean(axis=0) / (draws.std(axis=0) / np.sqrt(len(rows)))
        assert np.abs(z).max() < 5.0


@given(scale=st.floats(0.0, 50.0), strength=st.floats(0.0, 50.0), space=st.sampled_from(["log_odds", "probability"]))
def test_bounds_never_lower_a_score_to_first_order(analytic: Any, scale: float, strength: float, space: str) -> None:
    model = analytic(log_odds=curved)
    settings: dict[str, Any] = {"strength": strength, "space": space, "first_order": True}
    greedy = score(model, scale * X, space=space, strength=0.0)
    assert (score(model, scale * X, **settings) >= greedy).all()


def test_zero_gradients_keep_the_prediction(analytic: Any) -> None:
    def flat(h: Tensor) -> Tensor:
        return (h.sum(dim=-1) - 100.0).relu()

    for settings in ({}, {"n_steps": 3}, {"first_order": True}, {"space": "probability"}):
        came = score(analytic(log_odds=flat, shifted_by=-2.0), **settings)
        assert_array_equal(came, expit(np.full(6, -2.0)) if "space" in settings else np.full(6, -2.0))


def test_requests_together_score_as_each_alone(analytic: Any) -> None:
    rows = np.random.default_rng(6).normal(size=(4, 5, 3))
    for settings in ({}, {"gate": 0.3}, {"gate": "learned"}, {"n_steps": 2, "space": "probability"}):
        together = score(analytic(log_odds=curved, gate=1.0), rows, **settings)
        alone = [score(analytic(log_odds=curved, gate=1.0), request, **settings) for request in rows]
        assert_allclose(together, alone, rtol=1e-12)
        assert_array_equal(score(analytic(), rows[:1]), score(analytic(), rows[0])[np.newaxis])


def test_thousands_of_candidates_score_as_few(analytic: Any) -> None:
    rows = np.random.default_rng(6).normal(size=(2_500, 3))
    came = score(analytic(log_odds=curved), rows, n_steps=2)
    for few in (slice(0, 9), slice(1_020, 1_030), slice(2_490, 2_500)):
        assert_allclose(came[few], score(analytic(log_odds=curved), rows[few], n_steps=2), rtol=1e-12)


def test_a_fixed_gate_lets_through_from_its_threshold_on(analytic: Any) -> None:
    rows = np.zeros((4, 3))
    rows[:, 2] = 2.0 * (logit(np.array([0.009, 0.0101, 0.5, 0.001])) + 1.0)  # so that these are the probabilities
    explored = score(analytic(), rows, gate=0.01) != analytic().mean(rows)
    assert_array_equal(explored, [False, True, True, False])
    shifted = score(analytic(shifted_by=1.0), rows, gate=0.01) != analytic(shifted_by=1.0).mean(rows)
    assert_array_equal(shifted, [True, True, True, False])  # .009 has become .024
    assert (score(analytic(), rows, gate=0.0) != analytic().mean(rows)).all()
    assert_array_equal(score(analytic(), rows, gate=1.0), analytic().mean(rows))


def test_a_learned_gate_lets_through_what_beats_its_item(analytic: Any) -> None:
    rows = np.zeros((3, 3))
    rows[:, 2] = [1.0, 2.0, 3.0]  # log-odds -.5, 0, .5
    explored = score(analytic(gate=0.0), rows, gate="learned") != analytic().mean(rows)
    assert_array_equal(explored, [False, True, True])  # as good as is good enough: equation 16
    wanted = np.where(explored, score(analytic(), rows), analytic().mean(rows))
    assert_array_equal(score(analytic(gate=0.0), rows, gate="learned"), wanted)


@pytest.mark.parametrize(("settings", "passes"), [({}, 2), ({"first_order": True}, 1), ({"n_steps": 3}, 4)])
def test_closed_rows_cost_nothing(analytic: Any, settings: dict[str, Any], passes: int) -> None:
    rows = np.zeros((5, 3))
    rows[:, 2] = [0.0, 4.0, 0.0, 4.0, 4.0]
    alone, together, closed = analytic(), analytic(), analytic()
    score(alone, rows, gate=0.5, **settings)
    assert (alone.drawn, alone.passed) == ([3], [3] * passes)
    score(together, np.stack((rows, rows)), gate=0.5, **settings)  # masks are drawn for requests, not for rows
    assert (together.drawn, together.passed) == ([10], [6] * passes)
    score(closed, rows, gate=1.0, uncertainty_as="sample", **settings)
    assert closed.drawn == closed.passed == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"strength": -1.0}, "strength: expected a finite number >= 0, got -1.0"),
        ({"strength": float("nan")}, "strength: expected a finite number >= 0, got nan"),
        ({"uncertainty_as": "mean"}, "uncertainty_as: expected one of 'sample', 'bound', got 'mean'"),
        ({"space": "clicks"}, "space: expected one of 'log_odds', 'probability', got 'clicks'"),
        ({"n_steps": 0}, "n_steps: expected >= 1, got 0"),
        ({"n_steps": 2, "first_order": True}, "n_steps: expected 1"),
        ({"gate": "open"}, "gate: expected one of 'learned', got 'open'"),
        ({"gate": -0.1}, "gate: expected 'learned', a number in \\[0, 1\\] or None, got -0.1"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        AdversarialGradient(**{"strength": 1.0, "uncertainty_as": "bound", **settings})


def test_a_model_without_embedding_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"BayesianRidge lacks look, .*DeepClickRate(.|\n)*def from_embedding"):
        score(BayesianRidge(n_features=3))


def test_a_model_that_lacks_one_method_is_told_which(analytic: Any) -> None:
    names = ("look", "from_embedding", "spread", "deviation", "gate_log_odds")
    with pytest.raises(InvalidInputError, match="SimpleNamespace lacks shift; "):
        score(SimpleNamespace(**{name: getattr(analytic(), name) for name in names}))
