from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sojourn.errors import InvalidInputError, LogError
from sojourn.exploration import Greedy
from sojourn.interfaces import Explorer
from sojourn.logs.datasets import yahoo
from sojourn.records import FieldLayout, Numeric, Rows
from sojourn.simulation.news import (
    LineFiles,
    NewsBlock,
    NewsResult,
    NewsWorld,
    play_online,
    replay_lines,
    write_lines,
)

Fresh = Callable[[], Any]


def same(one: NewsResult, two: NewsResult) -> None:
    for name in ("offered", "impressions", "clicks", "predicted", "new_impressions", "new_clicks", "new_predicted"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    np.testing.assert_array_equal(one.item_impressions, two.item_impressions)
    np.testing.assert_array_equal(one.item_clicks, two.item_clicks)


def test_replay_is_what_it_is_by_hand(world: NewsWorld, rng: np.random.Generator, fresh: Fresh) -> None:
    model = fresh()
    read: list[int] = []
    result = replay_lines(
        model,
        Greedy(),
        world,
        rng=rng,
        n_warm_up=700,
        block_lines=900,
        new_until=50,
        progress=lambda done, total: read.append(done),
    )
    lines = [
        (piece.requests.item[n], piece.shown[n], piece.click[n]) for piece in world.lines() for n in range(len(piece))
    ]
    by_hand = fresh()
    for items, shown, click in lines[:700]:
        by_hand.shown[items[shown]] += 1.0
        by_hand.clicked[items[shown]] += click
    kept, clicks, predicted, new = [], [], [], []
    count = by_hand.shown - 20.0
    for start in range(700, len(lines), 900):
        rate = by_hand.clicked / by_hand.shown
        kept_lines = [(i[s], c) for i, s, c in lines[start : start + 900] if s == rate[i].argmax()]
        kept.append(len(kept_lines))
        clicks.append(sum(c for _, c in kept_lines))
        predicted.append(sum(rate[a] for a, _ in kept_lines))
        new.append(0.0)
        for a, click in kept_lines:
            new[-1] += count[a] < 50.0
            count[a] += 1.0
            by_hand.shown[a] += 1.0
            by_hand.clicked[a] += click
    assert len(lines) == 1_000 + 6 * 5 * 100
    assert read == [1_600, 2_500, 3_400, 4_000]
    np.testing.assert_array_equal(result.offered, [900.0, 900.0, 900.0, 600.0])
    np.testing.assert_array_equal(result.impressions, kept)
    np.testing.assert_array_equal(result.clicks, clicks)
    np.testing.assert_allclose(result.predicted, predicted)
    np.testing.assert_array_equal(result.new_impressions, new)
    assert sum(new) > 0.0
    np.testing.assert_array_equal(model.shown, by_hand.shown)
    assert result.truth is None


def test_a_block_may_end_when_enough_is_kept(
    world: NewsWorld, rng: np.random.Generator, fresh: Fresh, freshest: Explorer
) -> None:
    result = replay_lines(fresh(), freshest, world, rng=rng, n_warm_up=1_000, block_kept=80)
    assert (result.impressions[:-1] >= 80).all()
    assert len(result.offered) == 6  # pieces of 500 lines keep about 100
    np.testing.assert_array_equal(result.offered, 500.0)


def test_half_a_log_is_half_of_its_lines(
    world: NewsWorld, rng: np.random.Generator, fresh: Fresh, freshest: Explorer
) -> None:
    model = fresh()
    result = replay_lines(model, freshest, world, rng=rng, n_warm_up=500, block_lines=250, share=0.5)
    assert result.offered.sum() == 1_500
    assert len(model.learned[0].reward) == 500
    np.testing.assert_array_equal(model.learned[0].features, world.warm_up().features[:500])


def test_replay_of_a_random_policy_gives_the_logs_click_rate(
    rng: np.random.Generator, world: NewsWorld, fresh: Fresh, anything: Explorer
) -> None:
    world = NewsWorld.draw(replace(world.settings, block_size=2_000), seed=13)
    result = replay_lines(fresh(), anything, world, rng=rng, n_warm_up=1_000)
    n_lines = 6 * 5 * 2_000
    assert result.offered.sum() == n_lines
    assert abs(result.kept_share - 0.2) < 4.0 * np.sqrt(0.2 * 0.8 / n_lines)
    logged = np.concatenate([piece.click for piece in world.lines()])[1_000:].mean()
    kept = result.impressions.sum()
    assert abs(result.click_rate - logged) < 4.0 * np.sqrt(logged * (1.0 - logged) * (1.0 / kept - 1.0 / n_lines))


@pytest.mark.parametrize("learns", [False, True])
def test_playing_online_agrees_with_replay(
    learns: bool, rng: np.random.Generator, world: NewsWorld, fresh: Fresh, freshest: Explorer
) -> None:
    explorer = Greedy() if learns else freshest
    clicks, expected, impressions = np.zeros(2), 0.0, np.zeros(2)
    for seed in range(4):
        large = NewsWorld.draw(replace(world.settings, block_size=1_000, taste=0.6), seed=seed)
        online = play_online(fresh(), explorer, large, rng=rng)
        replayed = replay_lines(fresh(), explorer, large, rng=rng, n_warm_up=1_000, block_lines=5_000)
        assert len(online.clicks) == len(replayed.clicks) == 6
        clicks += online.clicks.sum(), replayed.clicks.sum()
        impressions += online.impressions.sum(), replayed.impressions.sum()
        assert abs(replayed.kept_share - 0.2) < 4.0 * np.sqrt(0.16 / 30_000)
        expected += online.known_truth.earned.sum()
    rate = clicks / impressions
    pooled = clicks.sum() / impressions.sum()
    assert abs(rate[0] - rate[1]) < 4.0 * np.sqrt(pooled * (1.0 / impressions).sum())
    assert abs(clicks[0] - expected) < 4.0 * np.sqrt(expected)


@pytest.mark.parametrize("name", ["log.txt", "log.txt.gz"])
def test_a_world_written_to_a_file_is_replayed_alike(
    world: NewsWorld, tmp_path: Path, rng: np.random.Generator, name: str, fresh: Fresh
) -> None:
    path = tmp_path / name
    assert write_lines(world, path) == 4_000
    log = LineFiles(paths=(path,), n_articles=12, size=500)
    assert log.layout == world.layout
    for piece, read in zip(world.lines(size=500), log.lines(), strict=True):
        np.testing.assert_array_equal(read.requests.features(), piece.requests.features())
        np.testing.assert_array_equal(read.shown, piece.shown)
        np.testing.assert_array_equal(read.click, piece.click)
    one, two = (replay_lines(fresh(), Greedy(), source, rng=rng, n_warm_up=1_000) for source in (world, log))
    same(one, two)
    assert one.impressions.sum() > 400


def test_the_written_lines_are_those_of_r6b(world: NewsWorld, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    write_lines(world, path)
    first = path.read_text().splitlines()[0]
    visit = yahoo.parse_visit(first)
    assert first.startswith(f"{visit.timestamp} {visit.shown} {visit.click} |user 1 ")
    assert visit.candidates == tuple(f"id-{code}" for code in range(1, 6))
    piece = next(world.lines())
    np.testing.assert_array_equal(visit.user, piece.requests.context[0])


def test_pools_of_different_length_get_codes_by_arrival(tmp_path: Path) -> None:
    path = tmp_path / "day.txt"
    path.write_text(
        "1 id-b 0 |user 1 136 |id-b |id-a\n2 id-c 1 |user 2 |id-a |id-b |id-c\n3 id-d 0 |user 1 |id-d |id-c\n"
    )
    pieces = list(LineFiles(paths=(path,), n_articles=4, size=2).lines())
    np.testing.assert_array_equal(pieces[0].requests.item, [[1, 2, 0], [2, 1, 3]])
    np.testing.assert_array_equal(pieces[0].requests.candidate, [[1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(pieces[0].shown, [0, 2])
    np.testing.assert_array_equal(pieces[0].click, [0.0, 1.0])
    assert pieces[0].requests.context[0].nonzero()[0].tolist() == [0, 135]
    np.testing.assert_array_equal(pieces[1].requests.item, [[4, 3]])


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.txt"
    path.write_text("1 id-b 0 |user 1 |id-b |id-a\nnonsense\n")
    with pytest.raises(LogError, match="at most 1 articles, got 2; set n_articles"):
        list(LineFiles(paths=(path,), n_articles=1, size=1).lines())
    with pytest.raises(LogError, match="line 2"):
        list(LineFiles(paths=(path,)).lines())
    rejected: list[int] = []
    log = LineFiles(paths=(path,), reject=lambda file, line, why: rejected.append(line))
    assert [len(piece) for piece in log.lines()] == [1]
    assert rejected == [2]
    six = " ".join(f"{number}:0.5" for number in range(1, 7))
    path.write_text(f"1 a 0 |user {six} |a {six} |b {six}\n")
    with pytest.raises(LogError, match="136 bits as in R6B, got 6"):
        list(LineFiles(paths=(path,)).lines())
    with pytest.raises(InvalidInputError, match="at least one file"):
        LineFiles(paths=())


def test_replays_that_cannot_be_are_refused(world: NewsWorld, rng: np.random.Generator, fresh: Fresh) -> None:
    with pytest.raises(LogError, match="more than the 80000 lines of the warm-up, got 4000"):
        replay_lines(fresh(), Greedy(), world, rng=rng)
    with pytest.raises(InvalidInputError, match="block_lines"):
        replay_lines(fresh(), Greedy(), world, rng=rng, block_lines=0)

    class Nameless:
        layout = FieldLayout(fields=(Numeric("x"),))
        n_blocks = 0

        def warm_up(self) -> Rows:
            return world.warm_up()

        def blocks(self) -> Iterator[NewsBlock]:
            return iter(())

    with pytest.raises(InvalidInputError, match="item_id"):
        play_online(fresh(), Greedy(), Nameless(), rng=rng)
