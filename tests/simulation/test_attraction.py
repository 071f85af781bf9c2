from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from sojourn.errors import ConfigError
from sojourn.simulation import LinearAttraction, LogitAttraction


@pytest.fixture
def rows(rng: np.random.Generator) -> np.ndarray:
    return np.maximum(rng.standard_normal((5_000, 8)) + 0.25, 0.0) + 0.01


def test_linear_attraction_has_the_mean_and_sd_asked_for(rows: np.ndarray, rng: np.random.Generator) -> None:
    attraction = LinearAttraction(mean=0.1, sd=0.06).realize(rows, rng=rng)
    values = attraction(rows)
    assert values.mean() == pytest.approx(0.1, rel=1e-9)
    assert values.std(ddof=1) == pytest.approx(0.06, rel=1e-6)
    assert (attraction.theta >= 0.0).all()
    np.testing.assert_allclose(values, rows @ attraction.theta)


def test_logit_attraction_has_the_mean_and_slope_asked_for(rows: np.ndarray, rng: np.random.Generator) -> None:
    attraction = LogitAttraction(mean=0.08, slope=1.1).realize(rows, rng=rng)
    assert attraction(rows).mean() == pytest.approx(0.08, abs=1e-9)
    score = rows @ attraction.theta
    assert score.std() == pytest.approx(1.1)
    np.testing.assert_allclose(attraction(rows), expit(score + attraction.intercept))


@pytest.mark.parametrize("sd", [1e-4, 10.0])
def test_a_spread_out_of_reach_is_refused(sd: float, rows: np.ndarray, rng: np.random.Generator) -> None:
    with pytest.raises(ConfigError, match="this world can have"):
        LinearAttraction(mean=0.08, sd=sd).realize(rows, rng=rng)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.1), (1.0, 0.1), (0.1, 0.0), (float("nan"), 0.1)])
def test_bad_linear_settings_are_refused(mean: float, sd: float) -> None:
    with pytest.raises(ConfigError, match="mean and sd"):
        LinearAttraction(mean=mean, sd=sd)


@pytest.mark.parametrize(("mean", "slope"), [(0.0, 1.0), (0.1, 0.0)])
def test_bad_logit_settings_are_refused(mean: float, slope: float) -> None:
    with pytest.raises(ConfigError, match="mean and slope"):
        LogitAttraction(mean=mean, slope=slope)
