from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from scipy.stats import beta, kstest, norm

from sojourn.errors import InvalidInputError
from sojourn.planning import BetaPrior, plan_exact, posterior_mean, posterior_sample
from sojourn.records import FloatArray, SessionMDP, value_of


def posterior_density(prior: BetaPrior, estimate: float, std: float) -> tuple[FloatArray, FloatArray]:
    """Points in (0, 1), even in their log odds, and the posterior's mass on each."""
    points = expit(np.linspace(-150.0, 30.0, 60_001))
    a, b = prior.mean * prior.concentration, (1.0 - prior.mean) * prior.concentration
    log_mass = beta.logpdf(points, a, b) + norm.logpdf(estimate, points, std) + np.log(points * (1.0 - points))
    mass = np.exp(log_mass - log_mass.max())
    return points, mass / mass.sum()


PRIORS = [(0.08, 25.0), (0.0175, 114.0), (0.0175, 30.0), (0.3, 1.0), (0.5, 2.0), (0.9, 400.0), (0.02, 4000.0)]


@pytest.mark.parametrize(("mean", "concentration"), PRIORS)
@pytest.mark.parametrize("std", [0.001, 0.01, 0.1, 1.0])
def test_the_posterior_mean_is_that_of_bayes_rule(mean: float, concentration: float, std: float) -> None:
    prior = BetaPrior(mean=mean, concentration=concentration)
    estimates = np.array([-4.0 * std, 0.0, 0.01, 0.05, mean, mean + 3.0 * std])
    got = prior.posterior_mean(estimates, np.full(6, std))
    for estimate, found in zip(estimates, got, strict=True):
        points, mass = posterior_density(prior, estimate, std)
        assert_allclose(found, points @ mass, rtol=1e-7 if mean * concentration >= 1.0 else 3e-3)


def test_uniform_law_and_a_wide_error_by_hand() -> None:
    uniform = BetaPrior(mean=0.5, concentration=2.0)
    # A normal law cut off at 0 and 1: at 0 with an error of .1 its mean is .1 sqrt(2 / pi).
    got = uniform.posterior_mean(np.array([0.0, 0.5, 1.0, 0.3]), np.array([0.1, 0.1, 0.1, 1e6]))
    assert_allclose(got, [0.1 * np.sqrt(2.0 / np.pi), 0.5, 1.0 - 0.1 * np.sqrt(2.0 / np.pi), 0.5], rtol=1e-9)


@given(seed=st.integers(0, 10**6), std=st.sampled_from([0.0, 1e-9, 1e-3, 0.02, 0.2, 5.0]))
def test_posterior_means_keep_the_order_and_lie_between_the_law_and_the_nearest_probability(
    seed: int, std: float
) -> None:
    rng = np.random.default_rng(seed)
    prior = BetaPrior(mean=rng.uniform(0.01, 0.99), concentration=float(np.exp(rng.uniform(0.0, 10.0))))
    estimate = np.sort(rng.normal(prior.mean, 0.3, (3, 20)), axis=-1)
    got = prior.posterior_mean(estimate, np.full((3, 20), std))
    assert got.min() >= 0.0
    assert got.max() <= 1.0
    assert np.diff(got, axis=-1).min() >= -1e-7
    if std == 0.0:
        assert_allclose(got, np.clip(estimate, 0.0, 1.0), atol=1e-9)


def test_the_fit_finds_the_law_behind_noisy_estimates() -> None:
    rng = np.random.default_rng(0)
    truth = rng.beta(2, 112, 40_000)
    std = rng.choice([0.002, 0.01, 0.03], truth.shape)
    fitted = BetaPrior.fit(truth + std * rng.standard_normal(truth.shape), std)
    assert_allclose(fitted.mean, 2 / 114, rtol=0.02)
    assert_allclose(fitted.concentration, 114, rtol=0.1)
    exact = BetaPrior.fit(truth, np.zeros(truth.shape))
    assert_allclose([exact.mean, exact.variance], [truth.mean(), truth.var()], rtol=1e-3)


def test_candidates_that_spread_by_their_errors_alone_are_pulled_together_in_their_order() -> None:
    rng = np.random.default_rng(1)
    estimate = 0.1 + 0.05 * rng.standard_normal(80)
    std = np.full(80, 0.05)
    believed = BetaPrior.fit(estimate, std).posterior_mean(estimate, std)
    assert believed.std() < 0.2 * estimate.std()
    assert_array_equal(np.argsort(believed), np.argsort(estimate))
    assert_allclose(believed.mean(), estimate.mean(), rtol=0.05)


@pytest.mark.parametrize(
    ("estimate", "std"),
    [
        (np.zeros(5), np.zeros(5)),
        (np.ones(5), np.zeros(5)),
        (np.full(5, 0.2), np.zeros(5)),
        (np.array([0.3]), np.array([0.1])),
        (np.array([0.0, 1.0, 0.0, 1.0]), np.zeros(4)),
        (np.full(5, -0.3), np.full(5, 0.01)),
        (np.array([0.1, 0.2, 0.9]), np.array([1e6, 0.0, 0.0])),
        (np.full(10**4, 0.5), np.full(10**4, 0.2)),
    ],
)
def test_odd_estimates_give_probabilities(estimate: FloatArray, std: FloatArray) -> None:
    prior = BetaPrior.fit(estimate, std)
    believed = prior.posterior_mean(estimate, std)
    assert np.isfinite(believed).all()
    assert believed.min() >= 0.0
    assert believed.max() <= 1.0
    assert_allclose(believed[std == 0.0], estimate[std == 0.0], atol=1e-9)


def test_an_estimate_that_contradicts_the_law_is_weighed_against_it() -> None:
    prior = BetaPrior(mean=0.01, concentration=1e6)
    for estimate, std in ((0.5, 0.005), (-3.0, 0.005), (0.5, 1e-3)):
        points, mass = posterior_density(prior, estimate, std)
        got = prior.posterior_mean(np.array(estimate), np.array(std))
        assert_allclose(got, points @ mass, rtol=1e-3)


@pytest.mark.parametrize(("estimate", "std"), [(0.05, 0.02), (0.05, 0.0005), (-0.2, 0.02), (0.02, 10.0), (0.6, 0.1)])
def test_samples_follow_the_posterior(estimate: float, std: float) -> None:
    prior = BetaPrior(mean=0.08, concentration=25.0)
    n = 4_000
    drawn = prior.posterior_sample(np.full(n, estimate), np.full(n, std), rng=np.random.default_rng(3))
    points, mass = posterior_density(prior, estimate, std)
    assert kstest(drawn, lambda x: np.interp(x, points, mass.cumsum() - mass / 2.0)).pvalue > 1e-3


def noisy_session(rng: np.random.Generator) -> tuple[SessionMDP, FloatArray, FloatArray, float]:
    """The truth, estimates of its rewards and hazards, and their standard error."""
    m = int(rng.integers(57, 101))
    truth = SessionMDP(reward=rng.beta(2, 23, m), hazard=rng.beta(2, 112, m), n_steps=50)
    half_width = 0.06
    reward, hazard = (x + rng.uniform(-half_width, half_width, m) for x in (truth.reward, truth.hazard))
    return truth, reward, hazard, half_width / np.sqrt(3.0)


def test_planning_with_posterior_means_beats_greedy_where_planning_with_the_noise_does_not() -> None:
    rng = np.random.default_rng(5)
    sessions = [noisy_session(rng) for _ in range(60)]
    rewards, hazards = (np.concatenate([session[part] for session in sessions]) for part in (1, 2))
    std = sessions[0][3]
    reward_prior = BetaPrior.fit(rewards, np.full(rewards.shape, std))
    hazard_prior = BetaPrior.fit(hazards, np.full(hazards.shape, std))
    over_greedy = []
    for truth, reward, hazard, _ in sessions:
        stds = np.full(len(reward), std)
        believed = SessionMDP(
            reward=reward_prior.posterior_mean(reward, stds),
            hazard=hazard_prior.posterior_mean(hazard, stds),
            n_steps=50,
        )
        trusting = SessionMDP(reward=np.clip(reward, 0, 1), hazard=np.clip(hazard, 0, 1), n_steps=50)
        orders = [np.argsort(-reward, kind="stable")[:50], plan_exact(trusting).order, plan_exact(believed).order]
        greedy, *plans = (float(value_of(*truth.along(order))) for order in orders)
        over_greedy.append([plan / greedy - 1.0 for plan in plans])
    trusting_gain, believed_gain = np.mean(over_greedy, axis=0)
    errors = np.std(over_greedy, axis=0) / np.sqrt(len(sessions))
    assert trusting_gain < -2.0 * errors[0]
    assert believed_gain > 2.0 * errors[1]


def session(n_steps: int | None = None) -> SessionMDP:
    rng = np.random.default_rng(7)
    shape = (30,) if n_steps is None else (n_steps, 30)
    return SessionMDP(
        reward=rng.beta(2, 23, shape),
        hazard=rng.beta(2, 112, shape),
        n_steps=n_steps or 10,
        reward_std=np.full(shape, 0.02),
        hazard_std=np.full(shape, 0.01),
    )


@pytest.mark.parametrize("n_steps", [None, 4])
def test_sessions_of_any_kind_are_believed_item_by_item(n_steps: int | None) -> None:
    mdp = session(n_steps)
    assert mdp.reward_std is not None
    assert mdp.hazard_std is not None
    believed = posterior_mean(mdp)
    prior = BetaPrior.fit(mdp.reward, mdp.reward_std)
    assert_array_equal(believed.reward, prior.posterior_mean(mdp.reward, mdp.reward_std))
    assert believed.n_steps == mdp.n_steps
    assert believed.reward_std is None
    assert believed.hazard_std is None
    given_law = BetaPrior(mean=0.3, concentration=1e7)
    assert_allclose(posterior_mean(mdp, hazard_prior=given_law).hazard, 0.3, rtol=0.03)
    assert_allclose(posterior_mean(mdp, reward_prior=given_law).reward, 0.3, rtol=0.03)


def test_sampled_sessions_vary_around_the_posterior_mean() -> None:
    mdp = session()
    draws = [posterior_sample(mdp, rng=np.random.default_rng(seed)) for seed in range(400)]
    believed = posterior_mean(mdp)
    for field in ("reward", "hazard"):
        drawn = np.array([getattr(draw, field) for draw in draws])
        error = drawn.std(axis=0) / np.sqrt(len(draws))
        assert np.abs((drawn.mean(axis=0) - getattr(believed, field)) / error).max() < 4.0
        assert drawn.std(axis=0).min() > 1e-3
    again = posterior_sample(mdp, rng=np.random.default_rng(0))
    assert_array_equal(again.reward, draws[0].reward)


@pytest.mark.parametrize("missing", ["reward_std", "hazard_std"])
def test_missing_standard_errors_are_asked_for(missing: str) -> None:
    known = {"reward_std": np.full(2, 0.1), "hazard_std": np.full(2, 0.1)} | {missing: None}
    mdp = SessionMDP(reward=np.array([0.1, 0.2]), hazard=np.array([0.1, 0.2]), n_steps=2, **known)
    with pytest.raises(InvalidInputError, match=f"{missing}: expected the standard errors"):
        posterior_mean(mdp)
    with pytest.raises(InvalidInputError, match=f"{missing}: expected the standard errors"):
        posterior_sample(mdp, rng=np.random.default_rng(0))


def test_rewards_that_are_no_probabilities_are_refused() -> None:
    mdp = SessionMDP(
        reward=np.array([3.0, 0.2]),
        hazard=np.array([0.1, 0.2]),
        n_steps=2,
        reward_std=np.full(2, 0.1),
        hazard_std=np.full(2, 0.1),
    )
    with pytest.raises(InvalidInputError, match=r"reward: expected probabilities, got 3\.0"):
        posterior_mean(mdp)


@pytest.mark.parametrize(
    ("estimate", "std", "message"),
    [
        (np.array([0.1, np.nan]), np.zeros(2), "estimate: expected finite numbers"),
        (np.array([0.1, 0.2]), np.zeros(3), "std: expected an array of shape"),
        (np.array([0.1, 0.2]), np.array([0.1, -0.1]), "std: expected finite standard errors >= 0"),
        (np.array([0.1, 0.2]), np.array([0.1, np.inf]), "std: expected finite standard errors >= 0"),
        (np.zeros(0), np.zeros(0), "estimate: expected at least one"),
    ],
)
def test_bad_estimates_are_refused(estimate: FloatArray, std: FloatArray, message: str) -> None:
    prior = BetaPrior(mean=0.1, concentration=10.0)
    for read in (BetaPrior.fit, prior.posterior_mean):
        with pytest.raises(InvalidInputError, match=message):
            read(estimate, std)


@pytest.mark.parametrize(("mean", "concentration"), [(0.0, 1.0), (1.0, 1.0), (0.5, 0.0), (0.5, np.inf), (np.nan, 1.0)])
def test_laws_that_do_not_exist_are_refused(mean: float, concentration: float) -> None:
    with pytest.raises(InvalidInputError, match="expected a mean in"):
        BetaPrior(mean=mean, concentration=concentration)
