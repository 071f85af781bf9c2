from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from sojourn import recipes
from sojourn.exposure import HeldOut, Perplexity
from sojourn.jobs.attention import attend
from sojourn.jobs.contest import CONTENDERS, Contest, hold
from sojourn.logs import Log
from sojourn.records import LogBatch
from sojourn.simulation import (
    FactorCatalogue,
    Feed,
    Hazard,
    LeavingReaders,
    LogitAttraction,
    PositionReaders,
    Readers,
    ScrollReaders,
    simulate_log,
    to_frame,
)


def judged(name: str, mean: float, spread: float) -> HeldOut:
    """A model with 100 held-out pages, each its mean plus a spread that is the model's own."""
    noise = np.random.default_rng(list(CONTENDERS).index(name)).standard_normal(100)
    pages = mean + spread * (noise - noise.mean())
    perplexity = Perplexity(mean=1.2, by_rank=np.array([1.2]))
    return HeldOut(
        name=name,
        log_likelihood=float(pages.mean()),
        gain=0.0,
        gain_stderr=0.0,
        perplexity=perplexity,
        seconds=0.1,
        n_parameters=None,
        z=None,
        pages=pages,
    )


def contest(spread: float, **means: float) -> Contest:
    names = {name.split()[0].replace("-", "_").lower(): name for name in CONTENDERS}
    held_out = tuple(judged(names[key], mean, spread) for key, mean in means.items())
    return Contest(held_out=held_out, n_pages=500, n_rounds=500)


def test_a_clear_winner_is_named_with_its_leads() -> None:
    found = contest(0.1, rank=-3.5, position_based=-3.1, browsing=-2.9, dbn=-2.8)
    assert found.best is not None
    assert found.best.name == "DBN"
    assert [each.name for each in found.tied] == ["DBN"]
    assert found.family(identified=True) == "leaving"
    said = found.finding(identified=True)
    assert said.startswith("**The model “DBN” explains the clicks best**: on held-out pages it is 0.100 ± 0.0")
    assert "nats a page ahead of browsing (UBM) and 0.300 ± 0.0" in said
    assert "ahead of position-based. People leave on the way down: correct with `default_bandit`" in said
    assert said.endswith("with `survival_planned`.")


def test_models_within_two_standard_errors_cannot_be_told_apart_and_the_simplest_counts() -> None:
    found = contest(1.0, rank=-3.5, position_based=-2.92, browsing=-2.9, dbn=-2.91)
    assert [each.name for each in found.tied] == ["position-based", "browsing (UBM)", "DBN"]
    assert found.family(identified=True) == "position"
    said = found.finding(identified=True)
    assert "“browsing (UBM)” foretells held-out clicks best, but cannot be told apart from position-based, DBN" in said
    assert said.endswith("correct with `linucb_k_sw`.")


@pytest.mark.parametrize(
    ("means", "identified", "advice"),
    [
        ({"rank": -3.5, "document": -3.2, "position_based": -3.0}, True, "linucb_k_sw"),
        ({"rank": -3.5, "document": -3.2, "position_based": -3.0}, False, "use no correction"),
        ({"rank": -2.5, "document": -3.2, "position_based": -3.0}, True, "linucb_k_sw"),
        ({"rank": -2.5, "document": -3.2, "position_based": -3.0}, False, "use no correction"),
        ({"rank": -3.5, "document": -2.9, "position_based": -3.0}, True, "use no correction"),
        ({"position_based": -3.0, "browsing": -2.9}, True, "default_bandit"),
        ({"position_based": -3.0, "scroll": -2.9}, False, "plan the page"),
    ],
)
def test_what_follows_depends_on_the_world_and_on_what_the_log_tells(
    means: dict[str, float], identified: bool, advice: str
) -> None:
    assert advice in contest(0.1, **means).finding(identified=identified)


def test_without_models_nothing_is_said() -> None:
    empty = Contest(held_out=(), n_pages=1, n_rounds=1)
    assert empty.best is None
    assert empty.tied == ()
    assert empty.family(identified=True) is None
    assert empty.finding(identified=True) == ""
    assert empty.to_list() == []


def pages_of(readers: Readers, n: int) -> LogBatch:
    """Random pages of six of fifteen items that attract a third of the people who see them."""
    rng = np.random.default_rng(0)
    catalogue = FactorCatalogue(n_items=15, n_features=4, rng=rng)
    attraction = LogitAttraction(mean=0.35, slope=1.0).realize(catalogue.sample(2_000, rng=rng), rng=rng)
    feed = Feed(catalogue=catalogue, attraction=attraction, readers=readers, n_slots=6)
    return simulate_log(feed, recipes.uniform(), n, rng=rng)


FADING = PositionReaders.power(0.65, n_slots=6)
LEAVING = LeavingReaders(Hazard(phi=np.array([1.0, -1.0, 0.5, 0.0]), intercept=-1.5))
WORLDS: dict[str, tuple[Readers, str]] = {
    "positions": (FADING, "position"),
    "scrolling": (ScrollReaders.geometric(alpha=3.0, beta=1.0, n_slots=6), "leaving"),
    "items that drive people away": (LEAVING, "leaving"),
}


@pytest.mark.parametrize("world", WORLDS)
def test_the_world_that_made_the_log_is_recognised(world: str) -> None:
    readers, family = WORLDS[world]
    found = hold(pages_of(readers, 1_500), n_rounds=1_500)
    assert found.description == "features"
    assert found.family(identified=True) == family


def test_one_position_leaves_nothing_to_compare() -> None:
    found = hold(pages_of(FADING, 100).first_slots(1), n_rounds=100)
    assert found.held_out == ()


@pytest.mark.parametrize("click", [0.0, 1.0])
def test_clicks_that_are_all_alike_leave_nothing_to_compare(tiny_log: Callable[..., Log], click: float) -> None:
    assert attend(tiny_log(3, click=click)).held_out == ()


def test_slot_by_slot_logs_and_deep_pages_are_left_to_models_of_single_slots() -> None:
    frame = to_frame(pages_of(FADING, 200))
    apart = frame.with_columns(pl.format("{}-{}", "request_id", "position").alias("request_id"))
    few = ["rank CTR", "document CTR", "position-based"]
    assert [each.name for each in attend(Log.from_frame(apart, whole_pages=False)).held_out] == few
    deep = frame.with_columns(pl.col("position") + 200)
    assert [each.name for each in attend(Log.from_frame(deep)).held_out] == few
