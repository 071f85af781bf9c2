"""Table 4 simulated: what exploring with some of the traffic does for all the rest.

Fair buckets: C does not explore, D does; A and B never do. A learns from what C saw and B from what D saw, so that A
and B differ in what exploration taught. In a simulation C and D can meet the same people, and A and B too. PV and AFR
are counted where nobody explores; the paper's AFR is the share of advertisers that follow up, for which stands here the
share of new articles that get a handful of clicks in their first blocks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from experiments.age.contestants import CONTESTANTS, MODELS
from experiments.age.news import Sizes, draw
from experiments.studies import Measures
from sojourn.exploration import Greedy
from sojourn.interfaces import Explorer
from sojourn.models.deep import DeepClickRate
from sojourn.records import FloatArray, IntArray
from sojourn.simulation.news import NewsBlock, NewsWorld, choose, predicted_click_rate

PLAYING: Final = ("vanilla", "Ensemble-UCB", "Ensemble-TS", "AGE-TS", "item posterior TS")
"""Vanilla is the bucket A of all others."""

SETTINGS: Final = tuple(f"H, {name}" for name in PLAYING)

FOLLOWED_UP: Final = 5
"""Clicks of a new article that count as a follow-up of its owner ..."""
YOUNG: Final = 4
"""... if they come in its first so many blocks."""
NEW: Final = 8
"""Blocks for which an article counts as new: by its age, since those who explore soon make it known."""


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """One contestant in one world: what the bucket that learns from it earns."""
    torch.set_num_threads(1)
    world_name, _, name = setting.partition(", ")
    world, contestant = draw(world_name, seed, sizes), CONTESTANTS[name]
    model = MODELS[contestant.model].make(world.layout, seed=seed)
    model.update(world.warm_up())
    model.flush()
    rng = np.random.default_rng([seed, *name.encode()])
    return {name: _judged(model, contestant.explorer(contestant.strength), world, rng)}


def _judged(
    model: DeepClickRate, explorer: Explorer, world: NewsWorld, rng: np.random.Generator
) -> dict[str, float | list[float] | None]:
    born = _first_block(world)
    n_codes = len(world.appeal)
    sums, young_clicks = np.zeros(5), np.zeros(n_codes)
    for number, block in enumerate(world.blocks()):
        half = len(block) // 2
        explored, judged = _part(block, slice(half)), _part(block, slice(half, None))
        chosen = choose(model, Greedy(), judged.requests, rng=rng)
        codes, clicks = _codes(judged, chosen), judged.clicks(chosen)
        rows = judged.rows(chosen)
        predicted = predicted_click_rate(model, rows.features)
        age = number - born[codes]
        new = (born[codes] > 0) & (age < NEW)
        sums += [len(codes), judged.probability_of(chosen).sum(), predicted.sum(), clicks.sum(), new.sum()]
        young = age < YOUNG
        young_clicks += np.bincount(codes[young], weights=clicks[young], minlength=n_codes)
        taught = choose(model, explorer, explored.requests, rng=rng)
        model.update(explored.rows(taught))
        model.flush()
    arrived = np.flatnonzero(born > 0)
    return {
        "click rate": 100.0 * sums[1] / sums[0],
        "PCOC": sums[2] / sums[3],
        "new": 100.0 * sums[4] / sums[0],
        "followed up": 100.0 * float((young_clicks[arrived] >= FOLLOWED_UP).mean()),
    }


def _part(block: NewsBlock, rows: slice) -> NewsBlock:
    return NewsBlock(
        requests=block.requests.take(rows), click_probability=block.click_probability[rows], luck=block.luck[rows]
    )


def _codes(block: NewsBlock, chosen: IntArray) -> IntArray:
    codes: IntArray = np.take_along_axis(block.requests.item, chosen[:, None], axis=1)[:, 0]
    return codes


def _first_block(world: NewsWorld) -> FloatArray:
    """The block in which each code is first there, (codes,); -1 for codes that never are."""
    born = np.full(len(world.appeal), np.inf)
    for number in reversed(range(world.n_blocks)):
        born[world.pools[number]] = number
    return np.where(np.isfinite(born), born, -1.0)
