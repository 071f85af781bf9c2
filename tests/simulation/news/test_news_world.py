from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError
from sojourn.simulation.news import HITS, SMOOTH, NewsSettings, NewsWorld
from sojourn.simulation.news.people import draw_tastes, draw_users
from sojourn.simulation.news.pools import draw_pools

SMALL = replace(
    HITS, n_users=300, n_candidates=6, n_articles=20, n_blocks=10, block_size=64, n_warm_up=6_000, hit_every=5
)


@pytest.fixture(scope="module")
def world() -> NewsWorld:
    return NewsWorld.draw(SMALL, seed=3)


@pytest.mark.parametrize(("preset", "oracle"), [(SMOOTH, 0.074), (HITS, 0.079)])
def test_the_presets_have_the_click_rates_of_the_findings(preset: NewsSettings, oracle: float) -> None:
    rates = [NewsWorld.draw(replace(preset, n_users=400), seed=seed).click_rates() for seed in range(12)]
    uniform, best = np.array(rates).T
    np.testing.assert_allclose(uniform, 0.036, rtol=1e-7)
    stderr = best.std(ddof=1) / np.sqrt(len(best))
    assert abs(best.mean() - oracle) < 4.0 * stderr
    assert stderr < 0.003


def test_the_click_rates_are_those_of_each_reader_and_article(world: NewsWorld) -> None:
    uniform, best = [], []
    for pool in world.pools:
        for user in range(SMALL.n_users):
            log_odds = [world.appeal[a] + world.tastes[user] @ world.attraction[a] for a in pool]
            truth = 1.0 / (1.0 + np.exp(-np.array(log_odds)))
            uniform.append(truth.mean())
            best.append(truth.max())
    np.testing.assert_allclose(world.click_rates(), (np.mean(uniform), np.mean(best)))


def test_readers_have_the_bits_of_r6b(rng: np.random.Generator) -> None:
    users = draw_users(4_000, rng=rng)
    assert users.shape == (4_000, 136)
    assert set(np.unique(users)) == {0.0, 1.0}
    assert (users[:, 0] == 1.0).all()
    for group in (slice(1, 3), slice(3, 13), slice(13, 33)):
        np.testing.assert_array_equal(users[:, group].sum(axis=1), 1.0)
        assert users[:, group].any(axis=0).all()
    assert users.sum(axis=1).mean() == pytest.approx(25.0, abs=0.3)


def test_behaviour_bits_hang_together_by_cluster(rng: np.random.Generator) -> None:
    behaviour = draw_users(4_000, rng=rng)[:, 33:]
    varying = behaviour[:, behaviour.std(axis=0) > 0.1]
    correlation = np.asarray(np.corrcoef(varying.T))[np.triu_indices(varying.shape[1], 1)]
    assert (np.abs(correlation) > 5.0 / np.sqrt(4_000)).mean() > 0.2


def test_tastes_are_standardised_and_hang_on_the_bits_alone(rng: np.random.Generator) -> None:
    users = draw_users(500, rng=rng)
    users[1] = users[0]
    tastes = draw_tastes(users, rng=rng)
    np.testing.assert_allclose(tastes.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(tastes.std(axis=0), 1.0)
    np.testing.assert_array_equal(tastes[0], tastes[1])
    assert tastes.shape == (500, 4)


@settings(max_examples=40)
@given(st.integers(1, 30), st.integers(1, 12), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
def test_articles_come_in_the_order_of_their_codes_and_leave_once(
    n_blocks: int, n_candidates: int, part: float, seed: int
) -> None:
    n_arrivals = int(part * n_candidates * (n_blocks - 1))
    pools = draw_pools(n_blocks, n_candidates, n_candidates + n_arrivals, rng=np.random.default_rng(seed))
    assert pools.shape == (n_blocks, n_candidates)
    assert (np.diff(pools, axis=1) > 0).all()
    np.testing.assert_array_equal(pools[0], np.arange(1, n_candidates + 1))
    known: set[int] = set()
    gone: set[int] = set()
    for pool in pools.tolist():
        fresh = sorted(set(pool) - known)
        assert not fresh or fresh[0] > max(known, default=0)
        known |= set(pool)
        gone |= known - set(pool)
        assert not gone & set(pool)
    assert known == set(range(1, n_candidates + n_arrivals + 1))


def test_lifetimes_differ_and_arrivals_are_even() -> None:
    pools = draw_pools(48, 38, 120, rng=np.random.default_rng(1))
    first = {a: np.flatnonzero((pools == a).any(axis=1))[0] for a in range(39, 121)}
    per_block = np.bincount(list(first.values()), minlength=48)
    assert per_block[0] == 0
    assert set(per_block[1:]) <= {1, 2}
    blocks = np.bincount(pools.ravel(), minlength=121)[1:]
    assert len(np.unique(blocks[38:70])) > 8
    assert 0.5 < blocks[38:60].mean() / (48 * 38 / 82) < 1.5


def test_one_of_so_many_arrivals_is_a_hit() -> None:
    flat = NewsWorld.draw(replace(SMALL, item_sd=0.0), seed=4)
    above = flat.appeal[1:] - flat.appeal[1:].min()
    np.testing.assert_allclose(np.unique(above.round(12)), [0.0, 0.8])
    np.testing.assert_array_equal((above > 0.5).reshape(4, 5).sum(axis=1), 1)
    even = NewsWorld.draw(replace(SMALL, item_sd=0.0, hit=None, taste=0.0), seed=4)
    np.testing.assert_allclose(even.click_rates(), 0.036)


def test_taste_is_the_spread_over_readers() -> None:
    wide = NewsWorld.draw(replace(SMALL, taste=0.5, n_users=2_000, n_articles=1_000, n_blocks=200), seed=5)
    feelings = wide.tastes @ wide.attraction.T
    assert np.sqrt((feelings.std(axis=0) ** 2).mean()) == pytest.approx(0.5, rel=0.05)


def test_a_block_holds_readers_candidates_and_the_truth(world: NewsWorld) -> None:
    block = world.block(7)
    requests = block.requests
    features = requests.features()
    assert features.shape == (64, 6, 137)
    assert features.dtype == np.float32
    world.layout.check(features)
    np.testing.assert_array_equal(world.layout.item_codes(features), np.tile(world.pools[7], (64, 1)))
    rows = [int(np.flatnonzero((world.users == features[n, 0, :136]).all(axis=1))[0]) for n in range(64)]
    np.testing.assert_allclose(block.click_probability, world.click_probability(np.array(rows), world.pools[7]))
    np.testing.assert_array_equal(features[:, :1, :136].repeat(6, axis=1), features[..., :136])
    chosen = np.arange(64) % 6
    np.testing.assert_array_equal(requests.shown(chosen), features[np.arange(64), chosen])
    np.testing.assert_array_equal(requests.features(slice(10, 20)), features[10:20])


def test_the_same_seed_gives_the_same_world_in_any_order(world: NewsWorld) -> None:
    again = NewsWorld.draw(SMALL, seed=3)
    late, early = again.block(9), again.block(2)
    for one, two in ((late, world.block(9)), (early, world.block(2))):
        np.testing.assert_array_equal(one.luck, two.luck)
        np.testing.assert_array_equal(one.click_probability, two.click_probability)
    assert not np.array_equal(late.luck, early.luck)
    other = NewsWorld.draw(SMALL, seed=4)
    assert not np.array_equal(other.block(2).click_probability, early.click_probability)
    assert len(list(world.blocks())) == 10


def test_a_visitor_who_clicks_clicks_all_that_attract_more(world: NewsWorld) -> None:
    block = world.block(0)
    best, worst = block.click_probability.argmax(axis=1), block.click_probability.argmin(axis=1)
    assert (block.clicks(best) >= block.clicks(worst)).all()
    np.testing.assert_array_equal(block.clicks(best), block.clicks(best))
    np.testing.assert_array_equal(block.first(10).clicks(best[:10]), block.clicks(best)[:10])
    rows = block.rows(best)
    np.testing.assert_array_equal(rows.reward, block.clicks(best))
    np.testing.assert_array_equal(rows.weight, 1.0)


def test_clicks_have_the_probability_of_the_truth() -> None:
    world = NewsWorld.draw(replace(SMALL, block_size=4_000), seed=6)
    clicks = expected = variance = 0.0
    for block in world.blocks():
        chosen = np.arange(4_000) % 6
        p = block.probability_of(chosen)
        clicks, expected, variance = (
            clicks + block.clicks(chosen).sum(),
            expected + p.sum(),
            variance + (p - p**2).sum(),
        )
    assert abs(clicks - expected) < 4.0 * np.sqrt(variance)


def test_the_warm_up_shows_the_first_pool_uniformly(world: NewsWorld) -> None:
    rows = world.warm_up()
    assert rows.features.shape == (6_000, 137)
    assert rows.features.dtype == np.float64
    world.layout.check(rows.features)
    counts = np.bincount(world.layout.item_codes(rows.features), minlength=7)[1:]
    assert len(counts) == 6
    assert ((counts - 1_000.0) ** 2 / 1_000.0).sum() < 25.0  # chi^2 with 5 degrees of freedom
    truth = world.click_probability(np.arange(SMALL.n_users), world.pools[0]).mean()
    assert abs(rows.reward.mean() - truth) < 4.0 * np.sqrt(truth / 6_000)
    np.testing.assert_array_equal(world.warm_up().features, rows.features)


def test_lines_are_the_warm_up_and_then_the_stream(world: NewsWorld) -> None:
    pieces = list(world.lines(size=500))
    assert sum(map(len, pieces)) == 6_000 + 10 * 6 * 64
    assert max(map(len, pieces)) == 500
    warm = np.concatenate([piece.rows().features for piece in pieces[:12]])
    np.testing.assert_array_equal(warm, world.warm_up().features)
    assert not np.array_equal(pieces[12].requests.context[:300], pieces[0].requests.context[:300])
    pools = [tuple(piece.requests.item[0]) for piece in pieces[12:]]
    assert list(dict.fromkeys(pools)) == list(dict.fromkeys(map(tuple, world.pools)))
    kept = np.arange(len(pieces[0])) % 3 == 0
    rows = pieces[0].rows(kept)
    np.testing.assert_array_equal(rows.features, pieces[0].rows().features[kept])
    np.testing.assert_array_equal(rows.reward, pieces[0].click[kept])


def test_other_sizes_keep_the_mean_click_rate() -> None:
    large = NewsSettings(
        item_sd=0.3, taste=0.3, n_users=4_400, n_candidates=100, n_articles=300, n_blocks=20, mean_click_rate=0.02
    )
    world = NewsWorld.draw(large, seed=0)
    assert world.click_rates()[0] == pytest.approx(0.02, rel=0.01)  # the mean is set over 4,000 people
    assert world.block(19).requests.features(slice(2)).shape == (2, 100, 137)
    assert len(np.unique(world.pools)) == 300


@pytest.mark.parametrize(
    "change",
    [
        {"item_sd": -0.1},
        {"mean_click_rate": 1.0},
        {"n_users": 1},
        {"n_blocks": 0},
        {"block_size": 0},
        {"n_articles": 5},
        {"n_blocks": 3},
        {"n_articles": 61},
        {"n_warm_up": -1},
    ],
)
def test_settings_that_make_no_world_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(change))):
        replace(SMALL, **change)  # type: ignore[arg-type]


def test_a_block_that_is_not_there_is_refused(world: NewsWorld) -> None:
    with pytest.raises(InvalidInputError, match="0 to 9, got 10"):
        world.block(10)
    with pytest.raises(InvalidInputError, match="at least 1 line"):
        next(world.lines(size=0))
