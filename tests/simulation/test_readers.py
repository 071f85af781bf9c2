from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import beta

from sojourn.errors import ConfigError
from sojourn.records import FloatArray
from sojourn.simulation import PositionReaders, ScrollReaders, power_law

UNUSED = np.ones((4, 1))  # features that these readers do not look at


def _enumerated(attraction: FloatArray, depths: FloatArray) -> tuple[float, float]:
    """Expected clicks and P(any), summed over depths and all click patterns; ``depths[d]`` = P(d slots seen)."""
    expected = anything = 0.0
    for depth, chance in enumerate(depths):
        for pattern in product([0, 1], repeat=depth):
            p = chance * float(np.prod([a if c else 1.0 - a for a, c in zip(attraction, pattern, strict=False)]))
            expected += p * sum(pattern)
            anything += p * any(pattern)
    return expected, anything


def test_examination_falls_as_a_power_of_the_slot() -> None:
    np.testing.assert_allclose(power_law(0.5, n_slots=4), [1.0, 0.5**0.5, 3.0**-0.5, 0.5])
    np.testing.assert_allclose(PositionReaders.power(0.5, n_slots=2).examination, [1.0, 0.5**0.5])


def test_the_reach_of_scrolling_people_is_the_moment_of_the_beta_distribution() -> None:
    readers = ScrollReaders.geometric(alpha=10.2, beta=1.8, n_slots=12)
    moments = [beta(10.2, 1.8).expect(lambda c, power=slot: c**power) for slot in range(12)]
    np.testing.assert_allclose(readers.reach, moments, rtol=1e-9)
    assert readers.reach[1] == pytest.approx(0.85)


def test_scrolling_people_click_as_if_each_drew_a_continuation(rng: np.random.Generator) -> None:
    attraction, n = np.array([0.3, 0.5, 0.2, 0.4]), 20_000
    clicks = ScrollReaders.geometric(alpha=2.0, beta=1.0, n_slots=4).clicks(attraction, UNUSED)
    drawn = np.array([clicks.draw(rng=rng)[0] for _ in range(n)])
    goes_on = rng.random((n, 3)) < rng.beta(2.0, 1.0, size=(n, 1))
    seen = np.hstack([np.ones((n, 1)), np.cumprod(goes_on, axis=1)])
    told = seen * (rng.random((n, 4)) < attraction)
    # Every pattern of clicks is as frequent either way.
    code = 2 ** np.arange(4)
    one, two = (np.bincount((sample @ code).astype(int), minlength=16) for sample in (drawn, told))
    assert (np.abs(one - two) < 4.5 * np.sqrt(one + two + 1.0)).all()


def test_clicks_down_to_a_depth_equal_the_sum_over_all_outcomes(rng: np.random.Generator) -> None:
    attraction = rng.random(4)
    readers = ScrollReaders.geometric(alpha=3.0, beta=1.5, n_slots=4)
    depths = -np.diff(np.concatenate([[1.0], readers.reach, [0.0]]))  # P(depth = 0), 1, ..., 4
    clicks = readers.clicks(attraction, UNUSED)
    assert (clicks.expected_clicks, clicks.any_click) == pytest.approx(_enumerated(attraction, depths))


def test_independent_clicks_equal_the_sum_over_all_outcomes(rng: np.random.Generator) -> None:
    attraction, readers = rng.random(4), PositionReaders.power(0.7, n_slots=4)
    clicks = readers.clicks(attraction, UNUSED)
    probability = readers.examination * attraction
    assert (clicks.expected_clicks, clicks.any_click) == pytest.approx(_enumerated(probability, np.eye(5)[4]))


@pytest.mark.parametrize("weights", [[], [1.1, 0.5], [0.5, 0.6], [0.5, -0.1], [0.5, float("nan")], [[1.0]]])
def test_weights_that_no_page_can_have_are_refused(weights: list[float]) -> None:
    for readers, name in ((PositionReaders, "examination"), (ScrollReaders, "reach")):
        with pytest.raises(ConfigError, match=name):
            readers(np.array(weights))


def test_a_power_and_a_distribution_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ConfigError, match="eta"):
        power_law(-0.1, n_slots=3)
    with pytest.raises(ConfigError, match="alpha and beta"):
        ScrollReaders.geometric(alpha=0.0, beta=1.0, n_slots=3)


@pytest.mark.parametrize(
    "readers", [PositionReaders.power(0.8, n_slots=4), ScrollReaders.geometric(alpha=3.0, beta=1.5, n_slots=4)]
)
def test_what_is_clicked_was_seen_and_slots_are_seen_as_often_as_examined(
    readers: PositionReaders | ScrollReaders, rng: np.random.Generator
) -> None:
    attraction, n = np.array([0.3, 0.5, 0.2, 0.4]), 20_000
    examined = readers.examination if isinstance(readers, PositionReaders) else readers.reach
    clicks = readers.clicks(attraction, UNUSED)
    click, seen = (np.array(each) for each in zip(*(clicks.draw(rng=rng) for _ in range(n)), strict=True))
    assert seen[click == 1.0].all()
    for sample, wanted in ((seen, examined), (click, examined * attraction)):
        assert (np.abs(sample.mean(axis=0) - wanted) < 4.5 * np.sqrt(wanted * (1 - wanted) / n) + 1e-12).all()
