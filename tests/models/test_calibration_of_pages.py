from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit

from sojourn.errors import InvalidInputError
from sojourn.models import Platt, ProductPlatt
from sojourn.models.calibration.outcomes import smoothed
from sojourn.records import FloatArray, IntArray

Pages = tuple[FloatArray, IntArray, FloatArray]


def _pages(rng: np.random.Generator, n: int, *, slope: float, intercept: float, center: float = 0.0) -> Pages:
    """Pages of 1 to 8 items, in no order, that are left with 1 - prod (1 - q)."""
    page = rng.permutation(np.repeat(np.arange(n), rng.integers(1, 9, n)))
    score = center + rng.normal(size=len(page))
    stays = np.ones(n)
    np.multiply.at(stays, page, 1.0 - expit(slope * (score - center) + intercept))
    return score, page, (rng.random(n) > stays).astype(np.float64)


def _loss(theta: FloatArray, pages: Pages, target: FloatArray, weight: FloatArray) -> float:
    """Page by page, as it is written."""
    score, page, _ = pages
    total = 0.0
    for each in range(len(target)):
        stays = float(np.prod(1.0 - expit(theta[0] * score[page == each] + theta[1])))
        total -= weight[each] * (target[each] * np.log(1.0 - stays) + (1.0 - target[each]) * np.log(stays))
    return total


@pytest.fixture
def small(rng: np.random.Generator) -> Pages:
    return _pages(rng, 60, slope=0.8, intercept=-2.5)


def test_it_finds_the_maximum(small: Pages, rng: np.random.Generator) -> None:
    weight = rng.uniform(0.5, 2.0, 60)
    target = smoothed(small[2], weight)
    best = minimize(_loss, np.array([0.5, -2.0]), args=(small, target, weight), method="BFGS", options={"gtol": 1e-5})
    line = ProductPlatt().fit_pages(*small, weight=weight).line
    assert_allclose([line.slope, line.intercept], best.x, atol=1e-4)
    assert line.slope_stderr == pytest.approx(np.sqrt(best.hess_inv[0, 0]), rel=0.3)  # expected against observed


def test_on_pages_of_one_item_it_is_platt(rng: np.random.Generator) -> None:
    score = 1e4 + 30.0 * rng.normal(size=500)
    outcome = (rng.random(500) < expit((score - 1e4) / 20.0 - 1.0)).astype(np.float64)
    weight = rng.uniform(0.0, 2.0, 500)
    ours, theirs = (made.fit(score, outcome, weight=weight).line for made in (ProductPlatt(), Platt()))
    assert ours.slope == pytest.approx(theirs.slope, rel=1e-5)
    assert ours.intercept == pytest.approx(theirs.intercept, rel=1e-5)
    assert ours.slope_stderr == pytest.approx(theirs.slope_stderr, rel=1e-5)


def test_it_recovers_the_hazards_that_made_the_pages() -> None:
    z = []
    for seed in range(20):
        score, page, left = _pages(np.random.default_rng(seed), 1500, slope=0.7, intercept=-3.5, center=10.0)
        line = ProductPlatt().fit_pages(score, page, left).line
        z.append((line.slope - 0.7) / line.slope_stderr)
        assert line(np.array([10.0])) == pytest.approx(expit(-3.5), rel=0.35)
    assert abs(np.mean(z)) < 4.0 / np.sqrt(20)
    assert 0.5 < np.std(z) < 1.6


def test_platt_on_the_best_item_of_a_page_flattens_the_slope_and_the_product_does_not() -> None:
    score, page, left = _pages(np.random.default_rng(1), 8000, slope=1.0, intercept=-3.5)
    best = np.full(8000, np.inf)
    np.minimum.at(best, page, score)
    flat = Platt().fit(best, left).line.slope if left @ best > 0 else 0.0
    assert flat < 0.5
    assert ProductPlatt().fit_pages(score, page, left).line.slope == pytest.approx(1.0, abs=0.15)


def test_the_order_of_rows_and_pages_does_not_matter(small: Pages, rng: np.random.Generator) -> None:
    score, page, left = small
    line = ProductPlatt().fit_pages(score, page, left).line
    order, renamed = rng.permutation(len(score)), rng.permutation(60)
    moved = np.empty(60)
    moved[renamed] = left
    again = ProductPlatt().fit_pages(score[order], renamed[page[order]], moved).line
    assert again.slope == pytest.approx(line.slope, rel=1e-6)


def test_pages_that_differ_in_nothing_say_nothing_of_the_slope() -> None:
    score, page, left = np.tile([0.0, 1.0], 80), np.repeat(np.arange(80), 2), np.repeat([1.0, 0.0], [20, 60])
    with pytest.raises(InvalidInputError, match=r"got slope 0 \+- inf"):
        ProductPlatt().fit_pages(score, page, left)


def test_a_score_for_staying_is_refused(small: Pages) -> None:
    score, page, left = small
    with pytest.raises(InvalidInputError, match=r"ProductPlatt: .*got slope -0\.\d+ \+- .*turn the sign"):
        ProductPlatt().fit_pages(-score, page, left)


def test_pages_left_or_not_may_be_given_as_flags(small: Pages) -> None:
    score, page, left = small
    flags = ProductPlatt().fit_pages(score, page, (left == 1.0).astype(np.bool_))
    assert flags.line == ProductPlatt().fit_pages(score, page, left).line


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"page": np.array([0, 0, 1, 1, 2, 4])}, "integers 0 to 3"),
        ({"page": np.array([0, 0, 1, 1, 2, -1])}, "integers 0 to 3"),
        ({"page": np.array([0.0, 0.0, 1.0, 1.0, 2.0, 3.0])}, "integers 0 to 3"),
        ({"page": np.array([0, 0, 1, 1, 2, 2])}, "at least one item on every page"),
        ({"page": np.zeros(3, dtype=np.int64)}, "shape"),
        ({"left": np.ones(4)}, "both kinds, got 4 that happened"),
        ({"left": np.zeros(4)}, "both kinds"),
        ({"score": np.full(6, 2.0)}, "scores that differ"),
        ({"score": np.full(6, np.nan)}, "finite"),
    ],
)
def test_bad_pages_are_refused(change: dict[str, FloatArray], match: str) -> None:
    given = {"score": np.arange(6.0), "page": np.array([0, 0, 1, 1, 2, 3]), "left": np.array([0.0, 0.0, 1.0, 1.0])}
    with pytest.raises(InvalidInputError, match=match):
        ProductPlatt().fit_pages(**given | change)
