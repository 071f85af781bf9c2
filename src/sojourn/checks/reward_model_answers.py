"""What a reward model promises about its answers: mean, doubt and samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from sojourn.checks.chance import expect_agreement, generator, moments
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.small_worlds import N_FEATURES, N_SLOTS, draw_features, draw_rows
from sojourn.errors import InvalidInputError
from sojourn.interfaces import RewardModel
from sojourn.records import FloatArray

N_DRAWS: Final = 2000
POINTS: Final = draw_features(generator(31), 8)
POINTS.flags.writeable = False


class MakeRewardModel(Protocol):
    """A factory of untrained models."""

    def __call__(self, *, n_features: int) -> RewardModel:
        """A model of rows with n_features, or a stack of 3 or more such models."""
        ...


def trained(make: MakeRewardModel) -> RewardModel:
    """A model that has learned from 20 rows."""
    model = make(n_features=N_FEATURES)
    model.update(draw_rows(generator(45), 20))
    return model


def expect_same(model: RewardModel, twin: RewardModel, *, what: str, advice: str) -> None:
    """Raise a ContractError unless both models give the same mean, std and sample."""
    readings: tuple[tuple[str, Callable[[RewardModel], FloatArray]], ...] = (
        ("mean", lambda each: each.mean(POINTS)),
        ("std", lambda each: each.std(POINTS)),
        ("sample", lambda each: each.sample(POINTS, rng=generator(46))),
    )
    for name, read in readings:
        expect_close(read(model), read(twin), what=f"{name}: {what}", advice=advice)


def expect_refusal(call: Callable[[], object], name: str, *, came: str, advice: str) -> None:
    """Raise a ContractError unless the call raises InvalidInputError."""
    try:
        call()
    except InvalidInputError:
        return
    expect(False, expected=f"InvalidInputError from {name}", came=f"nothing for {came}", advice=advice)


def taught(answer: FloatArray) -> slice | tuple[slice, ...]:
    """The part of an array (m,) or (s, m) that belongs to slots which the rows come from."""
    return slice(None) if answer.ndim == 1 else (slice(0, N_SLOTS), slice(None))


def keeps_the_protocol(make: MakeRewardModel) -> None:
    """The model has the methods of RewardModel; mean, std and sample give a number for each row, (m,) or (s, m)."""
    model = trained(make)
    expect(
        isinstance(model, RewardModel),
        expected="the methods of sojourn.interfaces.RewardModel",
        came=type(model).__name__,
        advice="write the missing ones",
    )
    mean = model.mean(POINTS)
    expect(
        mean.shape == POINTS.shape[:1]
        or (mean.ndim == 2 and mean.shape[0] >= N_SLOTS and mean.shape[1] == len(POINTS)),
        expected=f"mean of shape ({len(POINTS)},), or ({N_SLOTS} or more, {len(POINTS)}) from a stack",
        came=f"shape {mean.shape}",
        advice="give one number for each row of features",
    )
    for name, values in (("std", model.std(POINTS)), ("sample", model.sample(POINTS, rng=generator(1)))):
        expect(
            values.shape == mean.shape,
            expected=f"{name} of the shape of mean, {mean.shape}",
            came=f"shape {values.shape}",
            advice="give one number for each row of features",
        )


def data_never_add_doubt(make: MakeRewardModel) -> None:
    """The standard deviation falls or stays, at every point, with every batch of rows."""
    model = make(n_features=N_FEATURES)
    before = model.std(POINTS)
    for seed in range(12):
        model.update(draw_rows(generator(seed), 1 + 3 * (seed % 4)))
        after = model.std(POINTS)
        worst = np.argmax(after - before)
        expect(
            bool((after <= before + 1e-9).all()),
            expected=f"std of at most {before.flat[worst]:.9g} after more rows",
            came=f"{after.flat[worst]:.9g}",
            advice="std is the doubt about the mean, without the noise of rewards; check the inverse behind it",
        )
        before = after


def doubt_is_a_number(make: MakeRewardModel) -> None:
    """The standard deviation is finite and not negative, before any row as after many."""
    model = make(n_features=N_FEATURES)
    points = np.concatenate((POINTS, np.zeros((1, N_FEATURES)), 100.0 * POINTS))
    for n_rows in (0, 1, 300):
        model.update(draw_rows(generator(n_rows), n_rows))
        std = model.std(points)
        expect(
            bool(np.isfinite(std).all() and (std >= 0.0).all()),
            expected=f"finite standard deviations >= 0 after {n_rows} rows",
            came=f"{std.min()} to {std.max()}",
            advice="start from a proper prior, and keep rounding from making a variance negative",
        )


def doubt_shrinks(make: MakeRewardModel) -> None:
    """Many rows leave less than half of the doubt that was there before any."""
    model = make(n_features=N_FEATURES)
    before = model.std(POINTS)
    model.update(draw_rows(generator(34), 600))
    left = float((model.std(POINTS) / before)[taught(before)].max())
    advice = "std is what more data would remove; do not mix the noise of the rewards into it"
    expect(left < 0.5, expected="std below half of the prior's after 600 rows", came=f"{left:.3g} of it", advice=advice)


def reading_is_pure(make: MakeRewardModel) -> None:
    """mean, std and sample change nothing: neither what they give later nor what is learned later."""
    model, twin = trained(make), trained(make)
    for seed in range(20):
        features = draw_features(generator(seed), 1 + seed)
        model.mean(features)
        model.std(features)
        model.sample(features, rng=generator(seed))
    advice = "write to the model in update alone, and draw from rng alone"
    expect_same(model, twin, what="what a model gives that was not read before", advice=advice)
    for each in (model, twin):
        each.update(draw_rows(generator(35), 4))
    expect_same(model, twin, what="what a model learns that was not read before", advice=advice)


def what_is_given_is_the_callers(make: MakeRewardModel) -> None:
    """The caller may write to the arrays that mean, std and sample gave."""
    model, twin = trained(make), trained(make)
    for given in (model.mean(POINTS), model.std(POINTS), model.sample(POINTS, rng=generator(1))):
        if given.flags.writeable:
            given[...] = -7.0
    expect_same(model, twin, what="the same after the caller wrote to a result", advice="give a copy of what is kept")


def both_at_once_are_each_alone(make: MakeRewardModel) -> None:
    """What mean_and_std gives is what mean and std give, in arrays that the caller may write to."""
    model, twin = trained(make), trained(make)
    mean, std = model.mean_and_std(POINTS)
    advice = "let mean_and_std share work with mean and std, not differ from them"
    expect_close(mean, twin.mean(POINTS), what="the same mean", advice=advice)
    expect_close(std, twin.std(POINTS), what="the same std", advice=advice)
    mean[...] = std[...] = -7.0
    expect_same(model, twin, what="the same after the caller wrote to mean_and_std", advice="give new arrays")


def sample_follows_mean_and_std(make: MakeRewardModel) -> None:
    """Over many draws, samples average to the mean and spread by the standard deviation."""
    model, rng = trained(make), generator(36)
    draws = np.array([model.sample(POINTS, rng=rng) for _ in range(N_DRAWS)])
    mean, mean_stderr, variance, variance_stderr = moments(draws)
    advice = "draw the parameters from the posterior whose mean and spread the other methods give"
    expect_agreement(mean, model.mean(POINTS), mean_stderr, what="average of samples", advice=advice)
    expect_agreement(variance, model.std(POINTS) ** 2, variance_stderr, what="variance of samples", advice=advice)


def sample_is_one_joint_draw(make: MakeRewardModel) -> None:
    """Within a sample all rows share one draw of the parameters: equal rows have equal values."""
    model = trained(make)
    draw = model.sample(np.concatenate((POINTS, POINTS)), rng=generator(37))
    expect_close(
        draw[..., len(POINTS) :],
        draw[..., : len(POINTS)],
        what="the value of an equal row",
        advice="draw the parameters once, not a value for each row",
    )


def samples_differ(make: MakeRewardModel) -> None:
    """Two samples with different generators differ, and two with the same state do not."""
    model = trained(make)
    first, again, other = (model.sample(POINTS, rng=generator(seed)) for seed in (1, 1, 2))
    expect_close(again, first, what="the same draw from the same state", advice="draw from rng alone")
    advice = "draw from rng at each call"
    expect(not np.array_equal(first, other), expected="another draw from another state", came="the same", advice=advice)
