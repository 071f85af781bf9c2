"""The contract of `sojourn.interfaces.Explorer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.checks.small_worlds import N_FEATURES, N_SLOTS, draw_features, draw_rows
from sojourn.interfaces import Explorer, RewardModel
from sojourn.models import BayesianRidge

MakeExplorer = Callable[[], Explorer]

FEATURES: Final = draw_features(generator(71), 7)
FEATURES.flags.writeable = False


def keeps_the_protocol(make: MakeExplorer) -> None:
    """The explorer has score, and randomized as a bool."""
    explorer = make()
    expect(
        isinstance(explorer, Explorer) and isinstance(explorer.randomized, bool),
        expected="score, and randomized as a bool",
        came=type(explorer).__name__,
        advice="write the missing ones",
    )


def scores_are_numbers(make: MakeExplorer) -> None:
    """Scores are finite and have the shape of the model's mean: (m,), or (s, m) from a stack."""
    for model in _models():
        for seed in range(20):
            came, wanted = make().score(model, FEATURES, rng=generator(seed)), model.mean(FEATURES).shape
            expect(
                came.shape == wanted and bool(np.isfinite(came).all()),
                expected=f"finite scores of shape {wanted}",
                came=f"shape {came.shape}: {came}",
                advice="score each row of the features, for each model of a stack",
            )


def randomized_is_truthful(make: MakeExplorer) -> None:
    """Randomized says whether scores use the generator."""
    explorer = make()
    drawn = False
    for model in _models():
        for seed in range(20):
            rng = generator(seed)
            explorer.score(model, FEATURES, rng=rng)
            drawn |= rng.bit_generator.state != generator(seed).bit_generator.state
    expect(
        explorer.randomized == drawn,
        expected=f"randomized={drawn} of scores that {'draw' if drawn else 'do not draw'} from rng",
        came=str(explorer.randomized),
        advice="set randomized to True if score uses rng, and only then",
    )


def draws_from_rng_alone(make: MakeExplorer) -> None:
    """The same generator state gives the same scores, also from an explorer that was used before."""
    explorer = make()
    for model in _models():
        for seed in range(20):
            wanted = make().score(model, FEATURES, rng=generator(seed))
            came = explorer.score(model, FEATURES, rng=generator(seed))
            expect_close(came, wanted, what="the same scores", advice="draw from rng alone, keep nothing between calls")


def model_is_left_alone(make: MakeExplorer) -> None:
    """Scoring changes neither the model nor the features."""
    for model, twin in zip(_models(), _models(), strict=True):
        lent = FEATURES.copy()
        for seed in range(20):
            make().score(model, lent, rng=generator(seed))
        advice = "read the model, and copy before writing"
        expect_close(lent, FEATURES, what="the same features", advice=advice)
        expect_close(model.mean(FEATURES), twin.mean(FEATURES), what="the same mean", advice=advice)
        expect_close(model.std(FEATURES), twin.std(FEATURES), what="the same doubt", advice=advice)


def scores_are_the_callers(make: MakeExplorer) -> None:
    """The caller may write to the scores without changing the next ones."""
    explorer = make()
    for model in _models():
        wanted = explorer.score(model, FEATURES, rng=generator(73)).copy()
        explorer.score(model, FEATURES, rng=generator(73))[...] = -7.0
        came = explorer.score(model, FEATURES, rng=generator(73))
        expect_close(came, wanted, what="the same scores", advice="give a new array")


EXPLORER_CHECKS: Final[tuple[Check[MakeExplorer], ...]] = (
    keeps_the_protocol,
    scores_are_numbers,
    randomized_is_truthful,
    draws_from_rng_alone,
    model_is_left_alone,
    scores_are_the_callers,
)


def check_explorer(make: MakeExplorer) -> tuple[CheckResult, ...]:
    """Run every check of `EXPLORER_CHECKS`: ``make()`` scores a `BayesianRidge` and a stack of them."""
    return run_checks(EXPLORER_CHECKS, make)


def require_explorer(make: MakeExplorer) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_explorer(make))


def _models() -> Iterator[RewardModel]:
    for n_slots in (None, N_SLOTS):
        model = BayesianRidge(n_features=N_FEATURES, n_slots=n_slots)
        model.update(draw_rows(generator(74), 20))
        yield model
