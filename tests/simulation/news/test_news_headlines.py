from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sojourn.errors import InvalidInputError
from sojourn.interfaces import RewardModel
from sojourn.logs.datasets import upworthy
from sojourn.records import FloatArray, Rows
from sojourn.simulation.news import (
    HeadlineSettings,
    HeadlineTests,
    hashed_words,
    play_online,
    relative_variance,
    shrunk_click_rates,
    shrunk_ratio,
)

SMALL = HeadlineSettings(n_parallel=2, test_blocks=3, n_pages=2, page_visitors=8, n_warm_up=1, n_columns=64)


def archive() -> pl.DataFrame:
    """Five tests of 2 to 4 arms, not in the order of time."""
    n_arms = {"52b": 2, "51c": 4, "52a": 3, "51a": 3, "50a": 2}
    week = {"51a": 201301, "51c": 201301, "52a": 201302, "52b": 201302, "50a": 201303}
    rows = [
        {
            "test_id": test,
            "arm": arm,
            "impressions": 1_000 + 100 * arm,
            "clicks": 10 + 7 * arm,
            "test_week": week[test],
            "headline": f"{test} says arm {arm}",
        }
        for test, count in n_arms.items()
        for arm in range(count)
    ]
    return pl.DataFrame(rows)


@pytest.fixture
def tests() -> HeadlineTests:
    return HeadlineTests.of(archive(), seed=1, settings=SMALL)


class Knows:
    """A model that knows the truth, or shows any arm."""

    def __init__(self, rate: FloatArray) -> None:
        self.rate = rate
        self.learned: list[Rows] = []

    def update(self, rows: Rows) -> None:
        self.learned.append(rows)

    def mean(self, features: FloatArray) -> FloatArray:
        rate: FloatArray = self.rate[features[..., -1].astype(int)]
        return rate

    def std(self, features: FloatArray) -> FloatArray:
        return np.zeros(features.shape[:-1])

    def mean_and_std(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.mean(features), self.std(features)

    def sample(self, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return self.mean(features)

    def at(self, slot: int) -> RewardModel:
        return self


class Best:
    randomized = False

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return model.mean(features)


class Anything:
    randomized = True

    def score(self, model: RewardModel, features: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return rng.random(features.shape[:-1])


def test_spread_beyond_chance_by_hand() -> None:
    clicks, exposure = np.array([30.0, 10.0, 5.0, 5.0, 7.0]), np.array([1.0, 3.0, 2.0, 2.0, 9.0])
    group = np.array([0, 0, 1, 1, 2])
    # Expected: 10, 30, 5, 5 and 7; chi^2 = 400 / 10 + 400 / 30, with 2 + 2 + 1 arms in 3 groups.
    above = 400 / 10 + 400 / 30 - 2
    below = (40 - (100 + 900) / 40) + (10 - 50 / 10)
    assert relative_variance(clicks, exposure, group) == pytest.approx(above / below)
    even = relative_variance(np.full(4, 9.0), np.ones(4), np.zeros(4, dtype=np.int64))
    assert even == 0.0


def test_groups_without_clicks_or_exposure_tell_nothing() -> None:
    clicks, exposure = np.array([30.0, 10.0, 0.0, 0.0, 0.0]), np.array([1.0, 3.0, 5.0, 5.0, 0.0])
    alone = relative_variance(clicks[:2], exposure[:2], np.zeros(2, dtype=np.int64))
    assert relative_variance(clicks, exposure, np.array([0, 0, 1, 1, 2])) == alone
    assert relative_variance(np.zeros(2), np.ones(2), np.zeros(2, dtype=np.int64)) == 0.0


def test_ratios_are_shrunk_by_hand() -> None:
    clicks, expected = np.array([30.0, 0.0]), np.array([10.0, 10.0])
    np.testing.assert_allclose(shrunk_ratio(clicks, expected, 0.25), [(30 + 4) / (10 + 4), 4 / (10 + 4)])
    np.testing.assert_array_equal(shrunk_ratio(clicks, expected, 0.0), 1.0)


def test_arms_are_shrunk_to_tests_and_tests_to_the_archive() -> None:
    clicks = np.array([40.0, 20.0, 5.0, 1.0, 0.0])
    impressions = np.array([1_000.0, 1_000.0, 500.0, 500.0, 200.0])
    test = np.array([0, 0, 1, 1, 2])
    overall = 66 / 3_200
    between = relative_variance(np.array([60.0, 6.0, 0.0]), np.array([2_000.0, 1_000.0, 200.0]), np.zeros(3, np.int64))
    within = relative_variance(clicks, impressions, test)
    assert min(between, within) > 0.0
    rates = [overall * (c + 1 / between) / (n * overall + 1 / between) for c, n in ((60, 2_000), (6, 1_000), (0, 200))]
    expected = [
        rates[t] * (c + 1 / within) / (n * rates[t] + 1 / within)
        for c, n, t in zip(clicks, impressions, test, strict=True)
    ]
    np.testing.assert_allclose(shrunk_click_rates(clicks, impressions, test), expected)


def test_shrinking_finds_the_spread_and_comes_closer_to_the_truth(rng: np.random.Generator) -> None:
    test = np.repeat(np.arange(800), 4)
    truth = 0.01 * rng.gamma(4.0, 0.25, size=800)[test] * rng.gamma(20.0, 0.05, size=3_200)
    impressions = rng.integers(1_000, 5_000, size=3_200).astype(np.float64)
    clicks = rng.poisson(truth * impressions).astype(np.float64)
    assert relative_variance(clicks, impressions, test) == pytest.approx(0.05, abs=0.006)
    test_clicks, test_impressions = (counts.reshape(800, 4).sum(axis=1) for counts in (clicks, impressions))
    assert relative_variance(test_clicks, test_impressions, np.zeros(800, dtype=np.int64)) == pytest.approx(
        0.26, abs=0.06
    )
    shrunk = shrunk_click_rates(clicks, impressions, test)
    raw = clicks / impressions
    assert ((shrunk - truth) ** 2).mean() < 0.8 * ((raw - truth) ** 2).mean()
    best = truth.reshape(800, 4).max(axis=1).mean()
    assert abs(shrunk.reshape(800, 4).max(axis=1).mean() / best - 1.0) < 0.05
    assert raw.reshape(800, 4).max(axis=1).mean() / best > 1.05


def test_words_are_hashed_whatever_their_case_and_order() -> None:
    marks = hashed_words(["You won't believe this", "THIS you believe: won't?", "", "you you you"], n_columns=4_096)
    np.testing.assert_array_equal(marks[0], marks[1])
    np.testing.assert_array_equal(marks.sum(axis=1), [4.0, 4.0, 0.0, 1.0])
    assert hashed_words([" ".join(f"w{n}" for n in range(500))], n_columns=8).tolist() == [[1.0] * 8]


def test_words_have_the_same_columns_in_every_process() -> None:
    assert hashed_words(["One weird trick"], n_columns=97)[0].nonzero()[0].tolist() == [8, 76, 78]


def test_tests_come_in_order_of_time_and_each_arm_is_new(tests: HeadlineTests) -> None:
    assert tests.n_tests == 4
    assert tests.n_blocks == 6
    np.testing.assert_array_equal(tests.first, [1, 4, 8, 11, 13, 15])
    order = [("51a", 3), ("51c", 4), ("52a", 3), ("52b", 2), ("50a", 2)]
    headlines = [f"{test} says arm {arm}" for test, count in order for arm in range(count)]
    np.testing.assert_array_equal(tests.words[1:], hashed_words(headlines, n_columns=64))
    np.testing.assert_array_equal(tests.words[0], 0.0)
    together = [set(tests.block(number).requests.item.ravel().tolist()) - {0} for number in range(6)]
    assert together == [set(range(4, 11))] * 3 + [set(range(11, 15))] * 3


def test_the_truth_is_the_archives_shrunk_rate(tests: HeadlineTests) -> None:
    arms = archive().sort("test_week", "test_id", "arm")
    test = arms["test_id"].rle_id().cast(pl.Int64).to_numpy()
    clicks, impressions = (arms[name].to_numpy().astype(float) for name in ("clicks", "impressions"))
    np.testing.assert_allclose(tests.click_rate[1:], shrunk_click_rates(clicks, impressions, test))
    assert tests.click_rate[0] == 0.0


def test_a_block_holds_the_pages_of_the_tests_that_run(tests: HeadlineTests) -> None:
    block = tests.block(1)
    np.testing.assert_array_equal(block.requests.item, [[4, 5, 6, 7], [8, 9, 10, 0]] * 2)
    np.testing.assert_array_equal(block.requests.candidate, block.requests.item > 0)
    np.testing.assert_array_equal(block.click_probability, tests.click_rate[block.requests.item])
    features = block.requests.features()
    tests.layout.check(features)
    assert features.shape == (4, 4, 65)
    np.testing.assert_array_equal(features[0, 2, :-1], tests.words[6])
    np.testing.assert_array_equal(tests.layout.item_codes(features), block.requests.item)
    assert block.visitors == 8
    np.testing.assert_array_equal(block.luck, tests.block(1).luck)
    assert not np.array_equal(block.luck, tests.block(2).luck)
    with pytest.raises(InvalidInputError, match="0 to 5, got 6"):
        tests.block(6)


def test_the_warm_up_runs_the_first_tests_uniformly() -> None:
    many = HeadlineSettings(n_parallel=2, test_blocks=100, n_pages=4, page_visitors=2, n_warm_up=2, n_columns=8)
    rows = HeadlineTests.of(archive(), seed=2, settings=many).warm_up()
    codes = rows.features[:, -1].astype(int)
    assert len(codes) == 800
    first, second = np.bincount(codes, minlength=8)[1:4], np.bincount(codes, minlength=8)[4:]
    assert first.sum() == second.sum() == 400
    assert ((first - 400 / 3) ** 2 / (400 / 3)).sum() < 14.0  # chi^2, 2 degrees of freedom
    assert ((second - 100) ** 2 / 100).sum() < 17.0
    np.testing.assert_array_equal(rows.weight, 2.0)


def test_who_knows_the_truth_gains_all_and_who_guesses_nothing(rng: np.random.Generator) -> None:
    settings = HeadlineSettings(n_parallel=2, test_blocks=50, n_pages=10, page_visitors=20, n_warm_up=1, n_columns=8)
    tests = HeadlineTests.of(archive(), seed=3, settings=settings)
    model = Knows(tests.click_rate)
    best, guess = (play_online(model, explorer, tests, rng=rng, new_until=100) for explorer in (Best(), Anything()))
    assert best.gain == pytest.approx(1.0)
    assert best.regret[-1] == pytest.approx(0.0, abs=1e-9)
    assert abs(guess.gain) < 0.1
    assert best.impressions.sum() == 4 * 50 * 10 * 20
    assert abs(best.clicks.sum() - best.known_truth.earned.sum()) < 4.0 * np.sqrt(best.known_truth.earned.sum())
    assert best.new_impressions.sum() == 4 * 100  # the best arm of each test, until it has been seen 100 times
    assert best.calibration == pytest.approx(1.0, abs=0.1)


def test_settings_and_archives_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="more tests than the 128 of the warm-up, got 5"):
        HeadlineTests.of(archive(), seed=0)
    for name in ("n_parallel", "test_blocks", "n_pages", "page_visitors", "n_columns", "n_warm_up"):
        with pytest.raises(InvalidInputError, match=name):
            HeadlineSettings(**{name: 0})


@pytest.mark.data
def test_the_archive_is_a_stream_of_cold_starts(data_dir: Path) -> None:
    arms = upworthy.load(data_dir / "upworthy")
    tests = HeadlineTests.of(arms, seed=0)
    assert len(tests.first) - 1 == 3_771
    assert len(tests.click_rate) - 1 == 18_176
    assert tests.n_blocks == 300
    last = tests.block(299)
    assert last.requests.item.max() == 18_176
    assert tests.click_rate[1:].mean() == pytest.approx(0.0136, abs=0.0002)
    test = np.searchsorted(tests.first, np.arange(1, 18_177), side="right") - 1
    best = np.maximum.reduceat(tests.click_rate[1:], tests.first[:-1] - 1)
    mean = np.bincount(test, weights=tests.click_rate[1:]) / np.bincount(test)
    assert best.mean() / mean.mean() == pytest.approx(1.19, abs=0.01)  # 1.29 with the raw rates
