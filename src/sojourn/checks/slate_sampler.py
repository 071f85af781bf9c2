"""The contract of `sojourn.interfaces.SlateSampler`.

Scores come in several forms, and each promise is checked on all of them: a function, one row for all slots
(`FixedScores`, which samplers may treat apart), one row per slot, and scores that change with the items above.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from sojourn.checks.chance import count_stderr, expect_agreement, generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.checks.small_worlds import all_slates, slate_frequencies
from sojourn.interfaces import SlateSampler, SlotScores
from sojourn.policies import FixedScores
from sojourn.records import FloatArray, IntArray

MakeSlateSampler = Callable[[], SlateSampler]

N_DRAWS: Final = 1500
SCORES: Final = np.array([0.30, 0.05, 0.22, 0.10])
TABLE: Final = np.array([[0.30, 0.05, 0.22, 0.10], [0.00, 0.31, 0.12, 0.25]])
SLATES: Final = all_slates(4, 2)
SCORES.flags.writeable = TABLE.flags.writeable = False


def _plain(placed: IntArray) -> FloatArray:
    return SCORES.copy()


def _dependent(placed: IntArray) -> FloatArray:
    """Every item above moves the scores of the others, by an amount of its own."""
    scores: FloatArray = SCORES + 0.1 * np.cos(3.0 * np.arange(4) + 1.0 + placed.sum())
    return scores


FORMS: Final[dict[str, SlotScores]] = {
    "a function": _plain,
    "one row for all slots": FixedScores(SCORES),
    "one row per slot": FixedScores(TABLE),
    "scores that depend on the items above": _dependent,
}


def keeps_the_protocol(make: MakeSlateSampler) -> None:
    """The sampler has sample, propensity, distribution and deterministic."""
    sampler = make()
    expect(
        isinstance(sampler, SlateSampler) and isinstance(sampler.deterministic, bool),
        expected="the methods of sojourn.interfaces.SlateSampler, and deterministic as a bool",
        came=type(sampler).__name__,
        advice="write the missing ones",
    )


def slots_are_filled_without_repeats(make: MakeSlateSampler) -> None:
    """Any number of slots, from one to all candidates, is filled with different rows and propensities in (0, 1]."""
    for name, scores in FORMS.items():
        for seed in range(12):
            n_slots = 1 + seed % (2 if name == "one row per slot" else 4)
            chosen, propensity = make().sample(scores, 4, n_slots, rng=generator(seed))
            expect(
                chosen.shape == (n_slots,) and len(set(chosen.tolist()) & set(range(4))) == n_slots,
                expected=f"{n_slots} different rows of 4 candidates",
                came=f"{chosen} from {name}",
                advice="take placed rows out before each draw",
            )
            expect(
                propensity.shape == (n_slots,) and bool((propensity > 0.0).all() and (propensity <= 1.0).all()),
                expected="a propensity in (0, 1] for each slot",
                came=f"{propensity} from {name}",
                advice="give the probability of each choice given those above it",
            )


def probabilities_sum_to_one(make: MakeSlateSampler) -> None:
    """The probabilities of all slates sum to 1."""
    for name, scores in FORMS.items():
        total = _probabilities(make(), scores).sum()
        expect_close(total, 1.0, what=f"sum over all slates of {name}", advice="normalise over the open candidates")


def frequencies_match_probabilities(make: MakeSlateSampler) -> None:
    """Over many draws, each slate comes as often as propensity says."""
    for name, scores in FORMS.items():
        sampler, rng = make(), generator(51)
        probability = _probabilities(sampler, scores)
        drawn = [sampler.sample(scores, 4, 2, rng=rng)[0] for _ in range(N_DRAWS)]
        expect_agreement(
            slate_frequencies(SLATES, drawn),
            probability,
            count_stderr(probability, N_DRAWS),
            what=f"share of a slate in {N_DRAWS} draws from {name}",
            advice="compute propensity from the very distribution that sample draws from, and look at the items above",
        )


def sample_and_propensity_agree(make: MakeSlateSampler) -> None:
    """The propensities that come with a slate are those that propensity gives for it."""
    for name, scores in FORMS.items():
        for seed in range(20):
            sampler = make()
            chosen, came = sampler.sample(scores, 4, 2, rng=generator(seed))
            wanted = sampler.propensity(scores, 4, chosen)
            expect_close(came, wanted, what=f"propensity of {chosen} from {name}", advice="compute both in one place")


def distribution_and_propensity_agree(make: MakeSlateSampler) -> None:
    """Distribution gives all candidates at once the propensity of being next; 0 where one is placed."""
    for name, scores in FORMS.items():
        for above in (np.array([], dtype=np.int64), np.array([2])):
            came = make().distribution(scores, 4, above)
            wanted = np.zeros(4)
            for row in set(range(4)) - set(above.tolist()):
                wanted[row] = make().propensity(scores, 4, np.append(above, row))[-1]
            what = f"probability of each candidate below {above} from {name}"
            expect_close(came, wanted, what=what, advice="compute both in one place")


def deterministic_is_truthful(make: MakeSlateSampler) -> None:
    """Deterministic says whether one slate has all the probability, be the scores tied or not."""
    sampler = make()
    tied = FixedScores(np.zeros(4))  # ties, because a sharp sampler draws rarely where scores are apart
    forms: list[SlotScores] = [tied, *FORMS.values()]
    largest = min(float(_probabilities(sampler, scores).max()) for scores in forms)
    expect(
        sampler.deterministic == (largest == 1.0),
        expected=f"deterministic={largest == 1.0} where the likeliest slate has probability {largest:.4g}",
        came=str(sampler.deterministic),
        advice="set deterministic to True if nothing is drawn, and only then",
    )


def placed_scores_are_ignored(make: MakeSlateSampler) -> None:
    """What the scores say of rows that are placed already changes nothing."""

    def loud(placed: IntArray) -> FloatArray:
        scores = SCORES.copy()
        scores[placed] = 1e6
        return scores

    wanted, came = _probabilities(make(), _plain), _probabilities(make(), loud)
    advice = "take placed rows out before normalising"
    expect_close(came, wanted, what="probability of a slate", advice=advice)
    for seed in range(20):
        slates = [make().sample(scores, 4, 4, rng=generator(seed))[0] for scores in (loud, _plain)]
        expect_close(slates[0], slates[1], what="the slate", advice=advice)


def level_of_scores_is_ignored(make: MakeSlateSampler) -> None:
    """A constant added to all scores changes neither the draw nor its probability."""
    for level in (-40.0, 1000.0):

        def shifted(placed: IntArray, level: float = level) -> FloatArray:
            return SCORES + level

        advice = "use differences of scores only"
        wanted, came = _probabilities(make(), _plain), _probabilities(make(), shifted)
        expect_close(came, wanted, what=f"probability of a slate at level {level}", advice=advice)
        for seed in range(20):
            slates = [make().sample(scores, 4, 2, rng=generator(seed))[0] for scores in (shifted, _plain)]
            expect_close(slates[0], slates[1], what=f"the slate at level {level}", advice=advice)


def better_scores_come_first(make: MakeSlateSampler) -> None:
    """A better-scored candidate is never less likely to be chosen first than a worse one."""
    sampler = make()
    first = np.array([sampler.propensity(_plain, 4, np.array([row]))[0] for row in np.argsort(-SCORES)])
    worst = float(np.diff(first).max())
    advice = "larger scores are better"
    expect(worst <= 1e-12, expected="probabilities that fall with the score", came=first, advice=advice)


def asks_with_the_items_above(make: MakeSlateSampler) -> None:
    """Scores are asked for with the rows placed so far, top slot first, in sampling and in propensity."""
    heard: list[list[int]] = []

    def listening(placed: IntArray) -> FloatArray:
        heard.append(placed.tolist())
        return SCORES.copy()

    sampler, advice = make(), "call scores(chosen[:slot]) for each slot"
    for seed in range(6):
        heard.clear()
        chosen, _ = sampler.sample(listening, 4, 3, rng=generator(seed))
        sampler.propensity(listening, 4, chosen)
        above = [chosen[:slot].tolist() for slot in range(3)]
        strange = [placed for placed in heard if placed not in above]
        expect(not strange, expected=f"scores asked for {above} only", came=strange, advice=advice)
        expect(above[2] in heard, expected=f"scores asked for {above[2]}", came=heard, advice=advice)


def scores_are_not_changed(make: MakeSlateSampler) -> None:
    """The arrays that scores gives may be kept by it: they are not written to."""
    kept = SCORES.copy()
    for scores in (lambda placed: kept, FixedScores(kept)):
        chosen, _ = make().sample(scores, 4, 3, rng=generator(53))
        make().propensity(scores, 4, chosen)
        advice = "copy the scores before masking placed rows"
        expect(np.array_equal(kept, SCORES), expected=f"scores {SCORES}", came=kept, advice=advice)


def draws_from_rng_alone(make: MakeSlateSampler) -> None:
    """The same generator state gives the same slate, also from a sampler that was used before."""
    sampler = make()
    for scores in FORMS.values():
        first = [sampler.sample(scores, 4, 2, rng=generator(seed))[0] for seed in range(20)]
        again = [make().sample(scores, 4, 2, rng=generator(seed))[0] for seed in range(20)]
        advice = "draw from rng alone, and keep nothing between calls"
        expect_close(np.array(again), np.array(first), what="the same slates", advice=advice)


SLATE_SAMPLER_CHECKS: Final[tuple[Check[MakeSlateSampler], ...]] = (
    keeps_the_protocol,
    slots_are_filled_without_repeats,
    probabilities_sum_to_one,
    frequencies_match_probabilities,
    sample_and_propensity_agree,
    distribution_and_propensity_agree,
    deterministic_is_truthful,
    placed_scores_are_ignored,
    level_of_scores_is_ignored,
    better_scores_come_first,
    asks_with_the_items_above,
    scores_are_not_changed,
    draws_from_rng_alone,
)


def check_slate_sampler(make: MakeSlateSampler) -> tuple[CheckResult, ...]:
    """Run every check of `SLATE_SAMPLER_CHECKS` on samplers that ``make()`` gives."""
    return run_checks(SLATE_SAMPLER_CHECKS, make)


def require_slate_sampler(make: MakeSlateSampler) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_slate_sampler(make))


def _probabilities(sampler: SlateSampler, scores: SlotScores) -> FloatArray:
    return np.array([sampler.propensity(scores, 4, slate).prod() for slate in SLATES])
