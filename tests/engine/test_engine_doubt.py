from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose
from scipy.stats import norm

from sojourn.engine.doubt import DOUBTS, log_likelihood_of_doubts


def test_an_items_score_is_normal_with_what_the_model_held_possible() -> None:
    item = np.array([4, 2, 4, 7])
    score, information = np.array([0.9, -0.2, -0.1, 0.0]), np.array([0.1, 0.2, 0.3, 0.0])
    variance = np.array([0.5, 0.4, 0.1, 9.0])
    found = log_likelihood_of_doubts(item=item, score=score, information=information, variance=variance)
    mean_variance = (0.1 * 0.5 + 0.3 * 0.1) / 0.4
    by_hand = [
        norm.logpdf(0.8, scale=np.sqrt(0.4 + s**2 * mean_variance * 0.4**2))
        + norm.logpdf(-0.2, scale=np.sqrt(0.2 + s**2 * 0.4 * 0.2**2))
        for s in DOUBTS
    ]
    assert_allclose(np.diff(found), np.diff(by_hand))


def test_the_factor_that_made_the_errors_is_found() -> None:
    """Scores drawn as documented, from errors with 0, 1/2, 1 and 3/2 of the deviations that the model names."""
    rng, n = np.random.default_rng(0), 20_000
    information = rng.uniform(1.0, 20.0, size=n)
    variance = rng.uniform(0.05, 0.5, size=n)
    for factor in (0.0, 0.5, 1.0, 1.5):
        error = factor * np.sqrt(variance) * rng.standard_normal(n)
        score = information * error + np.sqrt(information) * rng.standard_normal(n)
        found = log_likelihood_of_doubts(item=np.arange(n), score=score, information=information, variance=variance)
        assert DOUBTS[found.argmax()] == factor
