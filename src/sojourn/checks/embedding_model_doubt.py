"""What a model with an embedding does not know, checked."""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.checks.chance import expect_agreement, generator
from sojourn.checks.contract import expect
from sojourn.checks.embedding_model_looks import FEATURES, MakeEmbeddingModel, as_array, expect_equal
from sojourn.checks.small_worlds import N_FEATURES
from sojourn.interfaces import EmbeddingModel
from sojourn.records import FloatArray, Look

_N_DRAWS: Final = 300


def spread_is_a_number(make: MakeEmbeddingModel) -> None:
    """The spread is finite and >= 0, (n, m), and the same each time."""
    model = make(n_features=N_FEATURES)
    for features, shape in ((FEATURES, (3, 4)), (FEATURES[0], (1, 4))):
        look = model.look(features)
        spread = model.spread(look)
        expect(
            tuple(spread.shape) == shape and bool((spread.isfinite() & (spread >= 0.0)).all()),
            expected=f"finite numbers >= 0 of shape {shape}",
            came=str(spread),
            advice="give a standard deviation for each candidate",
        )
        expect_equal(
            model.spread(look), spread, what="the same spread again", advice="draw nothing, or always the same"
        )


def deviation_draws_from_rng_alone(make: MakeEmbeddingModel) -> None:
    """The same generator state gives the same deviation, (n, m), also from a model that was used before."""
    model = make(n_features=N_FEATURES)
    look = model.look(FEATURES)
    for seed in range(5):
        fresh = make(n_features=N_FEATURES)
        wanted = fresh.deviation(fresh.look(FEATURES), rng=generator(seed))
        expect(
            tuple(wanted.shape) == (3, 4) and bool(wanted.isfinite().all()),
            expected="finite numbers of shape (3, 4)",
            came=str(wanted),
            advice="give a number for each candidate",
        )
        came = model.deviation(look, rng=generator(seed))
        expect_equal(came, wanted, what="the same draw", advice="draw from rng alone, keep nothing between calls")


def deviation_is_drawn_anew_for_each_request(make: MakeEmbeddingModel) -> str | None:
    """Draws differ between requests and between generator states, unless the spread is 0."""
    model = make(n_features=N_FEATURES)
    twice = model.look(np.repeat(FEATURES[:1], 2, axis=0))
    if not model.spread(twice).any():
        return "the spread is 0"
    draws = _draws(model, twice)
    for what, one, other in (
        ("two requests", draws[:, 0], draws[:, 1]),
        ("two generator states", draws[1:], draws[:-1]),
    ):
        expect(
            not np.allclose(one, other),
            expected=f"other draws for {what}",
            came="the same ones",
            advice="draw a mask, member or normal number for each request, from rng",
        )
    return None


def deviation_is_what_spread_says(make: MakeEmbeddingModel) -> None:
    """Deviations lie about 0, by less than half their spread, and reach as far as `spread` says, give or take 3 times.

    Networks are not linear in their weights and ensembles are small, so neither can be asked for exactly.
    """
    model = make(n_features=N_FEATURES)
    look = model.look(FEATURES)
    draws = _draws(model, look)
    std = np.maximum(draws.std(axis=0), 1e-9)
    expect_agreement(
        draws.mean(axis=0) / std,
        np.zeros_like(std),
        np.full_like(std, 1.0 / np.sqrt(_N_DRAWS)),
        what="a mean deviation, in standard deviations, of",
        advice="keep the sign of what was drawn, and draw about the network's own log-odds",
        rounding=0.5,
    )
    ratio = float(np.sqrt(np.mean(std**2)) / max(np.sqrt(np.mean(as_array(model.spread(look)) ** 2)), 1e-9))
    expect(
        1.0 / 3.0 < ratio < 3.0,
        expected="deviations as large as spread says",
        came=f"{ratio:.3g} times that",
        advice="give both in log-odds, and the spread as a standard deviation",
    )


def some_candidates_can_be_taken(make: MakeEmbeddingModel) -> None:
    """Spread, deviation and shift answer for some candidates of a look as for those of a whole one."""
    import torch

    model = make(n_features=N_FEATURES)
    look = model.look(FEATURES[0])
    rows = torch.tensor([3, 1], device=look.log_odds.device)
    taken = look.take(rows)
    advice = "go by what is in the look, and remember none"
    expect_equal(model.spread(taken), model.spread(look)[:, rows], what="the spread of those taken", advice=advice)
    expect_equal(model.shift(taken), model.shift(look)[:, rows], what="the shift of those taken", advice=advice)
    came = tuple(model.deviation(taken, rng=generator(83)).shape)
    expect(came == (1, 2), expected="a deviation of shape (1, 2)", came=str(came), advice=advice)


def _draws(model: EmbeddingModel, look: Look) -> FloatArray:
    """Deviations, one generator state after the other, (draws, n, m)."""
    rng = generator(82)
    return np.stack([as_array(model.deviation(look, rng=rng)) for _ in range(_N_DRAWS)])
