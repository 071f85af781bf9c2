"""What AGE rests on: that uncertainty times gradient tells how much a prediction would move if the item were explored.

A network is warmed up and plays vanilla for half the stream; then, for candidates drawn at random, what is predicted is
held against what one step of gradient descent on one more impression does. And who knows how far a prediction is off?
"""

from __future__ import annotations

from copy import deepcopy
from itertools import islice
from typing import Final

import numpy as np
import torch
from scipy.special import logit
from torch import Tensor

from experiments.age.contestants import MODELS
from experiments.age.news import Sizes, draw
from experiments.studies import Measures
from sojourn.evaluation.ranking import ranks
from sojourn.exploration import Greedy
from sojourn.models.deep import DeepClickRate
from sojourn.models.deep.networks import expect_split
from sojourn.records import FloatArray, IntArray
from sojourn.simulation.news import NewsBlock, choose

PLAYING: Final = ("dropout", "gradient", "ensemble", "last layer", "diagonal", "learned counts", "item posterior")

SETTINGS: Final = tuple(f"H, {name}" for name in PLAYING)

N_PAIRS: Final = 400
"""Reader and article, for each of which a network is copied and taught."""
STEP: Final = 0.05
"""Learning rate of the one step."""
COLD: Final = 200


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """One uncertainty in one world."""
    torch.set_num_threads(1)
    world_name, _, name = setting.partition(", ")
    world = draw(world_name, seed, sizes)
    model = MODELS[name].make(world.layout, seed=seed)
    rng = np.random.default_rng([seed, 7])
    warm_up = world.warm_up()
    count = np.bincount(world.layout.item_codes(warm_up.features), minlength=len(world.appeal))
    model.update(warm_up)
    model.flush()
    for block in islice(world.blocks(), sizes.blocks // 2):
        rows = block.rows(choose(model, Greedy(), block.requests, rng=rng))
        count += np.bincount(world.layout.item_codes(rows.features), minlength=len(count))
        model.update(rows)
        model.flush()
    return {name: _judged(model, world.block(sizes.blocks // 2), count, rng)}


def _judged(
    model: DeepClickRate, block: NewsBlock, count: IntArray, rng: np.random.Generator
) -> dict[str, float | list[float] | None]:
    n_pairs = min(N_PAIRS, len(block))
    place = rng.integers(block.requests.item.shape[1], size=n_pairs)
    features = np.take_along_axis(block.requests.features(slice(n_pairs)), place[:, None, None], axis=1)
    truth = logit(block.click_probability[np.arange(n_pairs), place])
    look = model.look(features)
    spread = model.spread(look)[:, 0].numpy().astype(np.float64)
    mean = model.mean(features)[:, 0]
    gradient = _gradient_norm(model, look.embedding)
    click = (rng.random(n_pairs) < 1.0 / (1.0 + np.exp(-truth))).astype(np.float32)
    change = np.array([_change(model, torch.from_numpy(x), float(y)) for x, y in zip(features, click, strict=True)])
    cold = count[block.requests.item[np.arange(n_pairs), place]] < COLD
    return {
        "spread x gradient and change": _spearman(spread * gradient, np.abs(change)),
        "gradient and change": _spearman(gradient, np.abs(change)),
        "spread and error": _spearman(spread, np.abs(mean - truth)),
        "spread x gradient and error": _spearman(spread * gradient, np.abs(mean - truth)),
        "spread of new over old": float(spread[cold].mean() / spread[~cold].mean())
        if 0 < cold.sum() < len(cold)
        else None,
    }


def _gradient_norm(model: DeepClickRate, embedding: Tensor) -> FloatArray:
    """Of the log-odds by the embedding, (n,)."""
    asking = embedding[:, 0].detach().requires_grad_()
    gradient = torch.autograd.grad(model.from_embedding(asking).sum(), asking)[0]
    return np.asarray(gradient.norm(dim=-1).numpy().astype(np.float64))


def _change(model: DeepClickRate, features: Tensor, click: float) -> float:
    """By how much the log-odds of a candidate (1, d) move after one step on it."""
    network = deepcopy(model.network)
    split = expect_split(network)
    before = split.from_embedding(split.embed(features))
    target = torch.full_like(before, click)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(before, target)
    parameters = list(network.parameters())
    with torch.no_grad():
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.sub_(STEP * gradient)
        return float((split.from_embedding(split.embed(features)) - before).item())


def _spearman(first: FloatArray, second: FloatArray) -> float | None:
    if np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return None
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])
