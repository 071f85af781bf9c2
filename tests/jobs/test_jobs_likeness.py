from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.jobs import likeness_curves as curves
from sojourn.jobs.likeness import Likeness, fit_feed
from sojourn.logs import Log
from sojourn.logs.datasets import eshop, yandex
from sojourn.reporting import Caution, Figure, Report, Table, render
from sojourn.simulation.live import PRESETS, LiveFeed, LiveSettings, live_settings
from sojourn.simulation.live.fitting import LoggedPages, simulate_log_of
from sojourn.simulation.simulated_log import to_frame

WORLD = LiveSettings(
    days=4,
    n_live=250,
    n_sessions=500,
    n_candidates=50,
    n_steps=24,
    page_size=4,
    reward_mean=0.15,
    hazard_mean=0.05,
    examination=(1.0, 0.75, 0.6, 0.5),
)


def _log(settings: LiveSettings, n_sessions: int, *, ranking: float = 0.0) -> Log:
    feed = LiveFeed(settings, seed=11)
    frames = []
    for number, log in enumerate(simulate_log_of(feed, n_sessions, ranking=ranking, rng=np.random.default_rng(7))):
        frame = to_frame(replace(log, features=np.empty((*log.item.shape, 0))))
        day = int(log.session[0]) * settings.days // n_sessions
        frames.append(
            frame.with_columns(
                request_id=pl.format("{}-{}", pl.lit(number), "request_id"),
                timestamp=pl.col("timestamp") + timedelta(days=day),
            )
        )
    return Log.from_frame(pl.concat(frames))


@cache
def _found(ranking: float = 0.0) -> Likeness:
    return fit_feed(_log(WORLD, 2_000, ranking=ranking), seed=1)


@pytest.mark.parametrize("ranking", [0.0, 0.6])
def test_a_refitted_feeds_curves_lie_on_the_logs(ranking: float) -> None:
    found = _found(ranking)
    rates = found.click_rate
    # binomial errors leave out which items each log happened to show, and that the fit is of one of the logs
    of_items = 0.05 * rates["log"].to_numpy()
    errors = np.sqrt(rates["log_se"].to_numpy() ** 2 + rates["simulated_se"].to_numpy() ** 2 + of_items**2)
    assert (np.abs((rates["log"] - rates["simulated"]).to_numpy()) < 3.5 * errors).all()
    stays = found.survival.drop_nulls()
    assert stays["pages"].to_list() == [1, 2, 3, 4, 5]
    assert stays["items"].to_list() == [4, 8, 12, 16, 20]
    errors = np.sqrt(stays["log_se"].to_numpy() ** 2 + stays["simulated_se"].to_numpy() ** 2)
    assert (np.abs((stays["log"] - stays["simulated"]).to_numpy()) < 4.0 * errors).all()
    assert curves.gap(found.popularity) < 0.04  # type: ignore[operator]
    assert curves.gap(found.item_rates) < 0.05  # type: ignore[operator]


def test_the_same_seed_gives_the_same_numbers_and_another_one_others() -> None:
    log = _log(replace(WORLD, days=2, n_sessions=60), 120)
    found, again, other = fit_feed(log, seed=1), fit_feed(log, seed=1), fit_feed(log, seed=2)
    assert found.to_dict() == again.to_dict()
    assert found.settings == other.settings
    assert not found.click_rate.equals(other.click_rate)


def test_the_log_side_is_counted_from_the_log() -> None:
    frame = pl.DataFrame(
        {
            "request_id": ["a", "a", "b", "b", "c", "c"],
            "session_id": ["s", "s", "s", "s", "t", "t"],
            "position": [0, 1, 0, 1, 0, 1],
            "item_id": [1, 2, 3, 4, 1, 3],
            "click": [1, 0, 1, 0, 0, 1],
            "quit": [None, None, False, False, None, True],
        }
    )
    found = curves.Curves.of(LoggedPages.of(Log.from_frame(frame)), thinned_to=10)
    assert found.n_shown.tolist() == [3, 3]
    assert found.rate.tolist() == pytest.approx([2 / 3, 1 / 3])
    assert found.rate_se.tolist() == pytest.approx([np.sqrt(2 / 9 / 3)] * 2)
    assert found.top[-1] == 1.0
    assert found.top[curves.TOP_SHARES.tolist().index(0.5)] == pytest.approx(4 / 6)  # two of four items, twice each
    assert np.isnan(found.item_rate).all()  # none was shown often enough
    assert found.stays.tolist() == pytest.approx([0.5])


def test_a_long_log_is_thinned_to_as_many_sessions_as_are_simulated() -> None:
    frame = pl.DataFrame({"request_id": np.arange(1_000), "position": 0, "item_id": np.arange(1_000) // 2, "click": 1})
    pages = LoggedPages.of(Log.from_frame(frame))
    thinned = curves.Curves.of(pages, thinned_to=500)
    assert thinned.top[curves.TOP_SHARES.tolist().index(0.5)] == pytest.approx(0.5)
    assert thinned.n_shown.tolist() == [1_000]


def test_the_finding_says_how_far_the_curves_are_apart() -> None:
    rate = pl.DataFrame(
        {"position": [0, 1], "log": [0.3, 0.2], "log_se": [0.03, 0.0], "simulated": [0.35, 0.2], "simulated_se": 0.04}
    )
    popularity = pl.DataFrame({"items": [0.5, 1.0], "log": [0.6, 1.0], "simulated": [0.5, 1.0]})
    found = replace(_found(), click_rate=rate, popularity=popularity)
    assert (
        "in click rates by position by at most 5.0 points or 1.0 standard errors, where their mean in the log is 25.0 %"
        in (found.finding)
    )
    assert "the most shown items' shares of the impressions by at most 10 points" in found.finding
    assert "the share of sessions that are still there by at most" in found.finding
    silent = replace(found, clicks_told=False, survival=found.survival.clear())
    assert "click rates" not in silent.finding
    assert "still there" not in silent.finding
    assert silent.finding.endswith("by at most 10 points**.")


@pytest.mark.parametrize(
    "settings",
    [
        *PRESETS.values(),
        LiveSettings(examination=(1.0,) + (0.25,) * 23, leaving="page_end", popularity=0.7),
    ],
)
def test_the_toml_table_reads_back_to_equal_settings(settings: LiveSettings) -> None:
    table = tomllib.loads(replace(_found(), settings=settings).to_toml())
    assert list(table) == ["feed"]
    assert live_settings(table["feed"]) == settings


def test_the_toml_table_holds_what_differs_from_the_preset() -> None:
    assert replace(_found(), settings=PRESETS["all"]).to_toml() == "[feed]\n"
    assert replace(_found(), settings=PRESETS["seen"]).to_toml() == '[feed]\nleaving = "page_end"\n'


def test_the_dictionary_is_json() -> None:
    found = json.loads(json.dumps(_found().to_dict()))
    assert found["settings"]["page_size"] == 4
    assert found["gaps"]["survival"] == pytest.approx(curves.gap(_found().survival))
    assert len(found["click_rate"]) == 4


def test_the_section_shows_each_curve_and_the_settings() -> None:
    section = _found().section()
    assert sum(isinstance(block, Figure) for block in section.body) == 4
    assert sum(isinstance(block, Caution) for block in section.body) == len(_found().cautions)
    table = section.body[-1]
    assert isinstance(table, Table)
    rows = {row["setting"]: row for row in table.frame.to_dicts()}
    assert rows["page_size"] == {"setting": "page_size", "value": "4", "preset “all”": "24"}
    assert rows["n_dims"]["preset “all”"] == ""
    page = render(Report(title="Likeness", findings=[_found().finding], sections=[section]))
    assert "still there" in page


def test_figures_of_what_the_log_does_not_tell_are_left_out() -> None:
    silent = replace(_found(), clicks_told=False, survival=_found().survival.clear())
    assert sum(isinstance(block, Figure) for block in silent.section().body) == 1


def test_progress_ends_when_all_sessions_are_simulated() -> None:
    told: list[tuple[int, int]] = []
    fit_feed(_log(replace(WORLD, days=1, n_sessions=60), 60), progress=lambda *done: told.append(done))
    assert told[-1] == (60, 60)


def test_a_log_without_a_click_is_refused() -> None:
    frame = pl.DataFrame({"request_id": ["a"], "position": [0], "item_id": [1], "click": [0]})
    with pytest.raises(LogError, match="expected clicks to fit a feed to, found none on 1 pages"):
        fit_feed(Log.from_frame(frame))


def _first_rows(log: Log, n: int) -> Log:
    return replace(log, slots=log.slots.head(n).collect().lazy())


@pytest.mark.data
def test_an_e_shops_stays_are_too_long_at_first_and_too_short_later(data_dir: Path) -> None:
    found = fit_feed(_first_rows(eshop.load(data_dir / "eshop"), 20_000))
    assert not found.clicks_told
    stays = found.survival.drop_nulls()
    assert stays["simulated"][0] > stays["log"][0]  # people who differ in patience: the feed has none
    assert 0.02 < curves.gap(found.survival) < 0.15  # type: ignore[operator]
    assert curves.gap(found.popularity) < 0.08  # type: ignore[operator]


@pytest.mark.data
def test_result_pages_lose_clicks_down_the_page_as_the_log_does(data_dir: Path) -> None:
    found = fit_feed(_first_rows(yandex.load(data_dir / "yandex"), 30_000))
    assert found.settings.page_size == found.settings.n_steps == 10
    assert len(found.survival) == 0
    assert np.corrcoef(found.click_rate["log"], found.click_rate["simulated"])[0, 1] > 0.9
    assert curves.gap(found.click_rate) < 0.08  # type: ignore[operator]
