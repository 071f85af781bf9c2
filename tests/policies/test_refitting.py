from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sojourn import recipes
from sojourn.errors import InvalidInputError
from sojourn.exploration import Greedy
from sojourn.exposure import DesignScaling, PositionBasedModel, RegressionEM
from sojourn.interfaces import ClickModel
from sojourn.models import BayesianRidge
from sojourn.policies import SelfCorrecting, SimilarityAggregate, SlatePolicy, TopK
from sojourn.records import FloatArray, LogBatch, Request

WEIGHTS = np.array([1.0, 0.5, 0.25])
THETA = np.array([0.1, 0.5, 0.2])


def log(rng: np.random.Generator, n: int) -> LogBatch:
    """Pages of six items in random order, read by position, clicked where theta . x attracts."""
    item = rng.permuted(np.tile(np.arange(6), (n, 1)), axis=1)[:, :3]
    features = rng.random((n, 3, 3))
    click = (rng.random((n, 3)) < WEIGHTS * (features @ THETA)).astype(np.float64)
    return LogBatch(
        item=item,
        features=features,
        click=click,
        reward=click,
        position=np.tile(np.arange(3), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )


def slates(**parts: Any) -> SlatePolicy:
    policy = recipes.linucb_k(n_features=3, n_slots=3)
    kept: dict[str, Any] = {
        name: getattr(policy, name) for name in ("name", "model", "explorer", "sampler", "exposure", "feature_map")
    }
    return SlatePolicy(**(kept | parts))


def coefficients(policy: SlatePolicy) -> FloatArray:
    assert isinstance(policy.model, BayesianRidge)
    return policy.model.coefficients


def learner(**settings: Any) -> SelfCorrecting:
    return SelfCorrecting(**({"accept_warnings": True} | settings))


class Broken(PositionBasedModel):
    """A click model whose fits fail from the second one on, as those of copies of it do."""

    n_fits = 0

    def fit(self, batch: LogBatch) -> Self:
        type(self).n_fits += 1
        if self.n_fits > 1:
            raise np.linalg.LinAlgError("singular")
        return super().fit(batch)


def test_before_the_first_fit_it_learns_as_the_policy_does(rng: np.random.Generator) -> None:
    policy, plain = learner(policy=slates(), click_model=PositionBasedModel(), first_fit=100), slates()
    batch = log(rng, 99)
    for each in (policy, plain):
        each.update(batch)
    assert policy.report is None
    assert policy.click_model is None
    assert_array_equal(coefficients(policy.slates), coefficients(plain))


def test_a_fit_corrects_what_was_learned_before_it(rng: np.random.Generator) -> None:
    policy = learner(policy=slates(), click_model=PositionBasedModel(), first_fit=100)
    batch = log(rng, 100)
    for t in range(100):
        policy.update(batch.take(slice(t, t + 1)))
    model = PositionBasedModel().fit(batch)
    wanted = slates(exposure=DesignScaling(model, filtered=True))
    wanted.update(batch)
    assert_allclose(coefficients(policy.slates), coefficients(wanted), rtol=1e-9)
    assert policy.report is not None
    assert (policy.report.n_seen, policy.report.used) == (100, True)
    assert policy.report.problems == model.report.warnings


def test_between_fits_it_learns_row_by_row(rng: np.random.Generator) -> None:
    policy = learner(policy=slates(), click_model=PositionBasedModel(), first_fit=100, growth=2.0)
    batch = log(rng, 150)
    policy.update(batch.take(slice(0, 100)))
    model = policy.click_model
    policy.update(batch.take(slice(100, 150)))
    assert policy.click_model is model
    assert isinstance(model, ClickModel)
    wanted = slates(exposure=DesignScaling(model, filtered=True))
    wanted.update(batch)
    assert_allclose(coefficients(policy.slates), coefficients(wanted), rtol=1e-9)


def test_fits_come_as_the_log_grows(rng: np.random.Generator) -> None:
    policy = learner(policy=slates(), click_model=PositionBasedModel(), first_fit=10, growth=1.5, max_rounds=20)
    fitted_at = set()
    for _ in range(100):
        policy.update(log(rng, 1))
        fitted_at.add(0 if policy.report is None else policy.report.n_seen)
    assert fitted_at == {0, 10, 15, 23, 35, 53, 80}


def test_beyond_max_rounds_nothing_is_forgotten(rng: np.random.Generator) -> None:
    policy = learner(policy=slates(), click_model=PositionBasedModel(), first_fit=100, max_rounds=120)
    old, new = log(rng, 100), log(rng, 60)
    policy.update(old)
    first = policy.click_model
    before = coefficients(policy.slates)
    policy.update(new)  # learned under the first correction; then the second takes its place
    assert policy.report is not None
    assert policy.report.n_seen == 160
    assert policy.click_model is not first
    assert isinstance(first, ClickModel)
    wanted = slates(exposure=DesignScaling(first, filtered=True))
    for batch in (old, new):
        wanted.update(batch)
    assert_allclose(coefficients(policy.slates), coefficients(wanted), rtol=1e-9)
    assert not np.allclose(coefficients(policy.slates), before)


def test_a_fit_that_fails_leaves_the_last_one_in_place(rng: np.random.Generator) -> None:
    policy = learner(policy=slates(), click_model=Broken(), first_fit=100)
    Broken.n_fits = 0
    policy.update(log(rng, 100))
    good = policy.click_model
    policy.update(log(rng, 100))
    assert policy.report is not None
    assert not policy.report.used
    assert policy.report.problems == ("LinAlgError: singular",)
    assert policy.click_model is good
    assert policy.n_seen == 200


def test_warnings_can_count_as_failure(rng: np.random.Generator) -> None:
    batch = log(rng, 100)
    no_clicks = replace(batch, click=np.zeros((100, 3)), reward=np.zeros((100, 3)))
    policy = learner(policy=slates(), click_model=PositionBasedModel(), first_fit=100, accept_warnings=False)
    policy.update(no_clicks)
    assert policy.report is not None
    assert not policy.report.used
    assert any("not one click" in problem for problem in policy.report.problems)
    assert policy.click_model is None


def test_the_click_model_sees_the_features_of_the_request(rng: np.random.Generator) -> None:
    similarity = SimilarityAggregate()
    model = BayesianRidge(n_features=similarity.n_features(3))
    policy = learner(policy=slates(feature_map=similarity, model=model), click_model=RegressionEM(), first_fit=200)
    policy.update(log(rng, 200))
    assert isinstance(policy.click_model, RegressionEM)
    assert policy.click_model.coefficients.shape == (3,)
    assert coefficients(policy.slates).shape == (similarity.n_features(3),)


def test_its_parts_are_copies(rng: np.random.Generator) -> None:
    inner, click_model = slates(), PositionBasedModel()
    policy = learner(policy=inner, click_model=click_model, first_fit=50, name="own")
    policy.update(log(rng, 100))
    assert_array_equal(coefficients(inner), np.zeros(3))
    with pytest.raises(InvalidInputError, match="expected a fitted model"):
        _ = click_model.weights
    request = Request(request_id="r", item_ids=np.arange(4), features=rng.random((4, 3)), n_slots=2)
    assert policy.act(request, rng=rng).policy == policy.name == "own"


def test_it_finds_the_weights_and_what_attracts(rng: np.random.Generator) -> None:
    """With logs of random pages the estimate of a biased learner is off by tens of standard errors."""
    parts: dict[str, Any] = {"name": "greedy", "explorer": Greedy(), "sampler": TopK()}
    policy = learner(policy=slates(**parts), click_model=PositionBasedModel(), first_fit=500)
    plain = slates(**parts)
    for _ in range(20):
        batch = log(rng, 500)
        for each in (policy, plain):
            each.update(batch)
    assert isinstance(policy.click_model, PositionBasedModel)
    assert_allclose(policy.click_model.weights, WEIGHTS, atol=0.05)
    assert_allclose(coefficients(policy.slates), THETA, atol=0.05)
    assert np.abs(coefficients(plain) - THETA).max() > 0.15


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"first_fit": 0}, "first_fit and max_rounds: expected 1 <= first_fit <= max_rounds, got 0 and 20000"),
        ({"first_fit": 30, "max_rounds": 20}, "got 30 and 20"),
        ({"growth": 1.0}, "growth: expected a finite number > 1, got 1.0"),
        ({"growth": np.nan}, "growth: expected"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        SelfCorrecting(policy=slates(), click_model=PositionBasedModel(), **settings)
