from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from sojourn import recipes
from sojourn.errors import LogError
from sojourn.exposure.page_ends import PageEnds
from sojourn.logs import Log, read_log
from sojourn.records import FloatArray, LogBatch
from sojourn.simulation.live import PRESETS, DayFiles, LiveFeed, LiveSettings, serve_day
from sojourn.simulation.live.fitting import NEUTRAL, FittedSettings, LoggedPages, fit_settings, simulate_log_of
from sojourn.simulation.live.fitting.browsing import BrowsingFit, _Climb, fit_browsing
from sojourn.simulation.live.fitting.hazard_spread import hazard_spread
from sojourn.simulation.live.fitting.item_effects import fit_item_effects
from sojourn.simulation.live.fitting.ranking import normal_order
from sojourn.simulation.live.fitting.turnover import turnover, uneven_draws
from sojourn.simulation.sessions import Leaving
from sojourn.simulation.simulated_log import to_frame

BASE = LiveSettings(
    days=6,
    n_live=300,
    n_sessions=400,
    n_candidates=60,
    n_steps=24,
    page_size=6,
    reward_mean=0.12,
    hazard_mean=0.06,
    examination=(1.0, 0.8, 0.65, 0.55, 0.45, 0.4),
    hit_share=0.0,
)


def _frame(feed: LiveFeed, n_sessions: int, *, ranking: float = 0.0) -> pl.DataFrame:
    """A log of the feed with a timestamp a day, as a table."""
    logs = simulate_log_of(feed, n_sessions, ranking=ranking, rng=np.random.default_rng(7))
    on_day = np.arange(n_sessions) * feed.settings.days // n_sessions
    frames = []
    for number, log in enumerate(logs):
        frame = to_frame(replace(log, features=np.empty((*log.item.shape, 0))))
        day = int(on_day[log.session[0]])
        frames.append(
            frame.with_columns(
                request_id=pl.format("{}-{}", pl.lit(number), "request_id"),
                timestamp=pl.col("timestamp") + timedelta(days=day),
            )
        )
    return pl.concat(frames)


@cache
def _fitted(leaving: Leaving, ranking: float, popularity: float) -> tuple[LiveFeed, FittedSettings, BrowsingFit]:
    feed = LiveFeed(replace(BASE, leaving=leaving, popularity=popularity), seed=3)
    fitted = fit_settings(Log.from_frame(_frame(feed, 2_400, ranking=ranking)))
    return feed, fitted, fit_browsing(fitted.pages)


WORLDS = [("item_by_item", 0.0, 0.0), ("page_end", 0.0, 0.7), ("item_by_item", 0.6, 0.0)]


@pytest.mark.parametrize("world", WORLDS)
def test_what_people_do_is_found_within_chance(world: tuple[Leaving, float, float]) -> None:
    feed, fitted, browsing = _fitted(*world)
    truth, found = feed.settings, fitted.settings
    n_items = int(np.unique(fitted.pages.batch.item).size)
    of_items = float(np.std(feed.mean_reward[1:])) / truth.reward_mean
    chance = np.hypot(1.0 / np.sqrt(fitted.pages.click.sum()), of_items / np.sqrt(n_items))
    assert found.leaving == world[0]
    assert abs(np.log(found.reward_mean / truth.reward_mean)) < 4.0 * chance
    n_left = fitted.pages.ends.left.sum()
    assert abs(np.log(found.hazard_mean / truth.hazard_mean)) < 4.0 * np.hypot(
        1.0 / np.sqrt(n_left), 0.5 / n_items**0.5
    )
    assert found.examination is not None
    assert truth.examination is not None
    assert found.examination[0] == 1.0
    clicks = np.bincount(fitted.pages.slot[fitted.pages.shown], fitted.pages.click[fitted.pages.shown])
    errors = np.hypot(1.0 / np.sqrt(clicks[1:]), 1.0 / np.sqrt(clicks[0]))
    z = np.log(np.array(found.examination[1:]) / np.array(truth.examination[1:])) / errors
    assert np.abs(z).max() < 4.0
    assert browsing.leaving == world[0]


@pytest.mark.parametrize("world", WORLDS)
def test_sizes_turnover_order_and_popularity_are_found(world: tuple[Leaving, float, float]) -> None:
    feed, fitted, _ = _fitted(*world)
    truth, found = feed.settings, fitted.settings
    for name in ("days", "page_size", "n_steps", "n_sessions"):
        assert getattr(found, name) == getattr(truth, name)
    assert found.n_live == pytest.approx(300, rel=0.03)
    assert found.replaced == pytest.approx(0.05, abs=0.01)
    assert fitted.ranking == pytest.approx(world[1], abs=0.15 if world[1] else 0.0)
    shown = uneven_draws(found.popularity, found.n_live, found.n_candidates)  # of more candidates than there were
    assert shown == pytest.approx(uneven_draws(world[2], 300, truth.n_candidates), rel=0.05)
    assert bool(found.popularity) == bool(world[2])


@pytest.mark.parametrize("world", WORLDS)
def test_items_differ_as_much_as_they_do(world: tuple[Leaving, float, float]) -> None:
    feed, fitted, _ = _fitted(*world)
    true = float(np.hypot(feed.settings.item_weight, feed.settings.item_sd))
    assert float(np.hypot(fitted.settings.item_weight, fitted.settings.item_sd)) == pytest.approx(true, rel=0.2)


def test_a_feed_of_the_fitted_settings_can_be_drawn_again_and_again() -> None:
    _, fitted, _ = _fitted(*WORLDS[0])
    for seed in range(5):
        LiveFeed(fitted.settings, seed=seed)


def _pages(click: list[list[int]], left: list[bool], went_on: list[bool]) -> LoggedPages:
    clicks = np.array(click, dtype=np.float64)
    n, k = clicks.shape
    batch = LogBatch(
        item=np.tile(np.arange(k), (n, 1)),
        features=np.empty((n, k, 0)),
        click=clicks,
        reward=clicks.copy(),
        position=np.tile(np.arange(k), (n, 1)),
        session=np.arange(n),
        step=np.zeros(n, dtype=np.int64),
    )
    pages = LoggedPages.of_batch(batch, page_size=k)
    return replace(pages, ends=PageEnds(left=np.array(left), went_on=np.array(went_on)))


def _enumerated(
    click: list[int], end: str, x: FloatArray, rate: FloatArray, q: float, leaving: Leaving
) -> tuple[float, FloatArray, FloatArray]:
    """P(page), P(slot reached and page) and P(left because of the slot and page), over all that may have happened."""
    k = len(click)
    total, reached, left = 0.0, np.zeros(k), np.zeros(k)
    for looks in product([0, 1], repeat=k):
        for causes in product([0, 1], repeat=k):  # which items would drive the person away, if looked at
            chance = float(np.prod(np.where(looks, x, 1.0 - x)) * np.prod(np.where(causes, q, 1.0 - q)))
            goes = [look and cause for look, cause in zip(looks, causes, strict=True)]
            depth = goes.index(1) if any(goes) and leaving == "item_by_item" else k - 1
            for slot in range(k):
                seen = slot <= depth and looks[slot]
                chance *= (rate[slot] if click[slot] else 1.0 - rate[slot]) if seen else 1.0 - click[slot]
            if end != "unknown" and any(goes) != (end == "left"):
                continue
            total += chance
            reached += chance * (np.arange(k) <= depth)
            left += chance * np.array(goes) * ((np.arange(k) == depth) | (leaving == "page_end"))
    return total, reached / total, left / total


@pytest.mark.parametrize("leaving", ["item_by_item", "page_end"])
@pytest.mark.parametrize("end", ["left", "went on", "unknown"])
@pytest.mark.parametrize("click", [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 1]])
def test_where_people_got_to_is_that_of_all_that_may_have_happened(
    leaving: Leaving, end: str, click: list[int]
) -> None:
    pages = _pages([click], [end == "left"], [end == "went on"])
    x, rate, q = np.array([1.0, 0.7, 0.4]), np.array([0.3, 0.5, 0.2]), 0.15
    reached, at_risk, left, log_likelihood = _Climb(pages, leaving, True)._where(x, rate, q)
    total, truly_reached, truly_left = _enumerated(click, end, x, rate, q, leaving)
    np.testing.assert_allclose(np.exp(log_likelihood), total, rtol=1e-9)
    np.testing.assert_allclose(reached[0], truly_reached, rtol=1e-9)
    if leaving == "item_by_item" or end != "unknown":
        np.testing.assert_allclose(left[0], truly_left, rtol=1e-9, atol=1e-12)
        assert (at_risk >= left - 1e-12).all()


def test_the_items_spread_is_found_and_is_none_where_there_is_none(rng: np.random.Generator) -> None:
    looks = np.full(800, 400.0)
    clicks = rng.binomial(400, expit(-2.0 + 0.5 * rng.standard_normal(800)))
    found = fit_item_effects(clicks, looks)
    assert found.mean == pytest.approx(-2.0, abs=4 * 0.5 / np.sqrt(800))
    assert found.total_sd == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(2 * 800) * 1.1)
    assert found.reliability.mean() > 0.8
    alike = fit_item_effects(rng.binomial(400, 0.12, size=800).astype(float), looks)
    assert alike.total_sd < 0.1
    assert np.abs(alike.effect).max() < 0.2


def test_hits_are_found_where_there_are_some(rng: np.random.Generator) -> None:
    kind = rng.random(2000)
    log_odds = -2.0 + 0.2 * rng.standard_normal(2000) + 1.5 * (kind < 0.05) - 1.5 * (kind > 0.95)
    found = fit_item_effects(rng.binomial(1000, expit(log_odds)).astype(float), np.full(2000, 1000.0))
    assert (found.hit_share, found.hit_size) == (0.05, 1.5)
    assert found.sd == pytest.approx(0.2, abs=0.03)


def _one_slot_pages(hazard: FloatArray, n: int, rng: np.random.Generator) -> LoggedPages:
    item = np.tile(np.arange(len(hazard)), n)[:, None]
    left = rng.random(len(item)) < hazard[item[:, 0]]
    batch = LogBatch(
        item=item,
        features=np.empty((*item.shape, 0)),
        click=(rng.random(item.shape) < 0.2).astype(float),
        reward=np.zeros(item.shape),
        position=np.zeros_like(item),
        session=np.arange(len(item)),
        step=np.zeros(len(item), dtype=np.int64),
        quits=left,
    )
    return LoggedPages.of_batch(batch, page_size=1)


@pytest.mark.parametrize("spread", [0.0, 0.6])
def test_the_spread_of_hazards_is_unbiased(spread: float, rng: np.random.Generator) -> None:
    shape = 1.0 / max(spread, 1e-3) ** 2
    z = []
    for _ in range(12):
        hazard = 0.1 * rng.gamma(shape, 1.0 / shape, size=300)
        pages = _one_slot_pages(np.minimum(hazard, 1.0), 100, rng)
        found = hazard_spread(pages, fit_browsing(pages))
        z.append((found.variance - np.var(hazard) / hazard.mean() ** 2) / found.stderr)
    assert abs(np.mean(z)) < 4.0 / np.sqrt(12) + 0.25  # the standard error counts how items happen to differ, too


def test_uneven_draws_are_those_of_a_race() -> None:
    feed = LiveFeed(replace(PRESETS["all"], popularity=0.9, n_sessions=1_500, days=1), seed=0)
    count = np.bincount(feed.visits(0).item.ravel(), minlength=901)[1:].astype(float)
    unevenness = 900 * (count**2).sum() / count.sum() ** 2
    assert uneven_draws(0.9, 900, 100) == pytest.approx(unevenness, rel=0.02)
    assert uneven_draws(0.0, 900, 100) == pytest.approx(1.0)


def test_popularity_draws_the_first_ranks_more_and_none_twice() -> None:
    feed = LiveFeed(replace(PRESETS["all"], popularity=1.0, n_sessions=300), seed=1)
    visits = feed.visits(3)
    assert all(len(set(row)) == 100 for row in visits.item.tolist())
    assert np.isin(visits.item, feed.live[3]).all()
    share = np.sort(np.bincount(visits.item.ravel(), minlength=feed.settings.n_items + 1))[::-1] / 300
    assert share[0] > 0.95
    assert share[899] < 0.1


def test_the_normal_order_is_that_of_draws(rng: np.random.Generator) -> None:
    drawn = -np.sort(-rng.standard_normal((20_000, 8)), axis=1)
    np.testing.assert_allclose(normal_order(8), drawn.mean(axis=0), atol=0.03)


def _turning_log(n_days: int, n_live: int, gone: int) -> Log:
    """Every live item once a day, each in a session of its own, a day's ``gone`` oldest ones replaced."""
    rows = [(day, day * gone + item) for day in range(n_days) for item in range(n_live)]
    day, item = (pl.Series(each) for each in zip(*rows, strict=True))
    return Log.from_frame(
        pl.DataFrame(
            {"request_id": np.arange(len(rows)), "item_id": item, "position": 0, "click": item % 2, "day": day}
        ).select(pl.exclude("day"), timestamp=pl.datetime(2026, 1, 1, time_zone="UTC") + pl.duration(days="day"))
    )


def test_turnover_is_counted() -> None:
    found = turnover(_turning_log(10, 200, 0))
    assert (found.days, found.n_active, found.n_live) == (10, 10, 200)
    assert found.replaced == pytest.approx(0.0, abs=1e-12)
    assert found.unevenness == 0.0  # no item twice on a day
    half = turnover(_turning_log(10, 200, 10))
    assert half.n_live == 200
    # 200 - 10 g of two days' items in common, no geometric law but near it
    assert half.replaced == pytest.approx(0.06, abs=0.02)


def _cautions(change: Callable[[pl.DataFrame], pl.DataFrame], **options: Any) -> tuple[LiveSettings, str]:
    feed = LiveFeed(replace(BASE, days=3, n_sessions=60), seed=3)
    fitted = fit_settings(Log.from_frame(change(_frame(feed, 180)), **options))
    return fitted.settings, " ".join(fitted.cautions)


def test_without_timestamps_days_are_the_presets_and_nothing_comes_or_goes() -> None:
    settings, told = _cautions(lambda frame: frame.drop("timestamp"))
    assert "no timestamps: its sessions are spread over 30 days" in told
    assert (settings.days, settings.replaced, settings.n_sessions) == (30, 0.0, 6)


def test_without_sessions_a_session_is_a_page() -> None:
    settings, told = _cautions(lambda frame: frame.drop("session_id", "step", "quit"))
    assert "Each session of the log is a single page" in told
    assert settings.n_steps == settings.page_size == 6


def test_without_quits_the_last_page_is_taken_and_said_so() -> None:
    with_ends, _ = _cautions(lambda frame: frame)
    settings, told = _cautions(lambda frame: frame.drop("quit"))
    assert "does not say who left (column quit)" in told
    assert settings.n_steps == with_ends.n_steps
    assert settings.hazard_mean == pytest.approx(with_ends.hazard_mean, rel=0.2)


def test_a_short_log_leaves_the_spread_of_hazards_to_the_preset() -> None:
    settings, told = _cautions(lambda frame: frame)
    assert "too short to tell how much items differ in driving people away" in told
    assert settings.hazard_spread == NEUTRAL.hazard_spread
    assert "names no users: 2,000 people are taken" in told
    assert "does not say what could have been shown (candidates)" in told


def test_single_slots_are_not_taken_for_pages() -> None:
    settings, told = _cautions(lambda frame: frame.drop("session_id", "step", "quit", "request_id"), whole_pages=False)
    assert "single slots, not whole pages" in told
    assert "Nothing in the log tells what drives people away" in told
    assert (settings.page_size, settings.n_steps, settings.hazard_mean) == (6, 6, NEUTRAL.hazard_mean)


def test_a_log_of_clicks_alone_says_nothing_of_click_rates() -> None:
    settings, told = _cautions(lambda frame: frame.with_columns(click=pl.lit(1), reward=pl.lit(1.0)))
    assert "Every row of the log is a click" in told
    assert (settings.reward_mean, settings.item_sd) == (NEUTRAL.reward_mean, NEUTRAL.item_sd)


def test_pages_of_other_lengths_are_said() -> None:
    short = (pl.col("request_id").hash() % 3 == 0) & (pl.col("position") > 3)
    _, told = _cautions(lambda frame: frame.filter(~short))
    assert "% of the pages do not have 6 slots" in told


def test_sessions_longer_than_the_days_items_are_said() -> None:
    settings, told = _cautions(lambda frame: frame.with_columns(item_id=pl.col("position") + 10))
    assert "Sessions are longer than the 6 items of a day" in told
    assert settings.n_live == settings.n_steps == 24


def test_a_log_without_a_click_is_refused() -> None:
    with pytest.raises(LogError, match="expected clicks to fit a feed to, found none on"):
        _cautions(lambda frame: frame.with_columns(click=pl.lit(0), reward=pl.lit(0.0)))


def test_candidates_and_people_are_read_where_a_log_has_them(tmp_path: Path) -> None:
    feed = LiveFeed(replace(BASE, n_candidates=37, n_sessions=40, n_users=5), seed=0)
    files, visits = DayFiles(tmp_path, feed), feed.visits(0)
    files.write(0, visits, serve_day(recipes.uniform(), feed, visits, rng=np.random.default_rng(0)))
    found = fit_settings(read_log(files.day(0)))
    assert (found.settings.n_candidates, found.settings.n_users, found.settings.days) == (37, 5, 1)
    assert "candidates" not in " ".join(found.cautions)


def test_a_better_ranking_puts_better_items_on_top_and_none_puts_all_alike() -> None:
    feed = LiveFeed(replace(BASE, examination=None, hazard_mean=0.001, hazard_spread=0.0), seed=0)
    slopes = {}
    for ranking in (0.0, 0.7):
        logs = simulate_log_of(feed, 600, ranking=ranking, rng=np.random.default_rng(1))
        worth = logit(feed.mean_reward[np.concatenate([log.item[:, 0] for log in logs])])
        step = np.concatenate([log.step for log in logs])
        slopes[ranking] = float(np.corrcoef(worth, step)[0, 1])
    assert abs(slopes[0.0]) < 0.1
    assert slopes[0.7] < -0.4


def test_sessions_are_spread_over_days_and_told() -> None:
    feed, told = LiveFeed(replace(BASE, days=3), seed=0), []
    logs = simulate_log_of(feed, 10, rng=np.random.default_rng(0), progress=lambda *done: told.append(done))
    assert [np.unique(log.session).tolist() for log in logs] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert told == [(4, 10), (7, 10), (10, 10)]
    for day, log in enumerate(logs):
        assert np.isin(log.item[log.shown], feed.live[day]).all()
