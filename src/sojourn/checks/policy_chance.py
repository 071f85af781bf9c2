"""What a policy promises about the probabilities that it reports.

Laws of all slates are summed on one request of 4 candidates and 2 slots, which has 12. What need not be summed is
asked of a longer page besides, because scores may depend on several items above.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from sojourn.checks.chance import count_stderr, expect_agreement, generator
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.loans import read_only
from sojourn.checks.policy_acts import MakePolicy, trained
from sojourn.checks.small_worlds import all_slates, draw_request, slate_frequencies
from sojourn.interfaces import Policy, SlotDistribution
from sojourn.records import Decision, FloatArray, Request

N_ACTS: Final = 2000
REQUEST: Final = read_only(draw_request(generator(11), n_candidates=4, n_slots=2))
LONGER: Final = read_only(draw_request(generator(19), n_candidates=5, n_slots=3))
SLATES: Final = all_slates(4, 2)
ROUNDING: Final = 1e-9


def probabilities_are_probabilities(make: MakePolicy) -> None:
    """slate_probability gives one number in [0, 1] for each slot."""
    policy = trained(make)
    for slate in SLATES:
        came = policy.slate_probability(REQUEST, slate, rng=generator(12))
        expect(
            came.shape == slate.shape and came.min() >= 0.0 and came.max() <= 1.0 + ROUNDING,
            expected="2 numbers in [0, 1]",
            came=came,
            advice="give the probability of each choice given those above it",
        )


def probabilities_sum_to_one(make: MakePolicy) -> None:
    """The probabilities of all slates sum to 1, up to the noise of a policy that averages over draws."""
    sums = _probabilities(trained(make), repeats=4).sum(axis=1)
    expect_agreement(
        np.array([sums.mean()]),
        np.ones(1),
        sums.std(ddof=1, keepdims=True) / np.sqrt(len(sums)),
        what="sum over all 12 slates of a request",
        advice="normalise each slot over the candidates that are still open",
    )


def frequencies_match_probabilities(make: MakePolicy) -> None:
    """Over many decisions, each slate is shown as often as slate_probability says."""
    policy = trained(make)
    repeats = _probabilities(policy, repeats=8)
    said = repeats.mean(axis=0)
    shown = slate_frequencies(SLATES, [decision.chosen for decision in _decisions(policy)])
    n_said = _effective_draws(repeats)
    probability = said if np.isinf(n_said) else (N_ACTS * shown + n_said * said) / (N_ACTS + n_said)
    expect_agreement(
        shown,
        said,
        np.hypot(count_stderr(probability, N_ACTS), count_stderr(probability, n_said)),
        what=f"share of a slate in {N_ACTS} decisions",
        advice="compute slate_probability from the very scores and sampler that act uses",
    )


def logged_propensity_is_calibrated(make: MakePolicy) -> str | None:
    """E[1{slate = A} / P_logged(A)] = 1 for each slate A that the policy shows."""
    policy = trained(make)
    decisions = _decisions(policy)
    if all(decision.deterministic for decision in decisions):
        return "not applicable: the policy is deterministic, so its propensities cannot weight a log"
    probability = _probabilities(policy, repeats=2).mean(axis=0)
    often = probability >= min(20.0 / N_ACTS, probability.max())  # of a rarer slate, too few are seen to average
    weight = np.array([_weight(decision) for decision in decisions])
    chosen = np.array([decision.chosen for decision in decisions])
    is_slate = (chosen[:, None] == SLATES[often]).all(axis=2)  # (acts, slates)
    # A weight has variance 1 / P - 1. Where P varies with scores that are drawn, it is at most the largest weight.
    variance = 1.0 / probability[often] - 1.0 if _is_exact(policy) else np.full(often.sum(), weight.max())
    expect_agreement(
        weight @ is_slate / N_ACTS,
        np.ones(often.sum()),
        np.sqrt(variance / N_ACTS),
        what="average of 1{slate = A} / logged propensity",
        advice="log the probability with which the slate was drawn, slot by slot",
    )
    return None


def logged_propensity_is_slate_probability(make: MakePolicy) -> str | None:
    """Where slate_probability draws nothing, it is the propensity that act logs."""
    policy = trained(make)
    if not _is_exact(policy):
        return "not applicable: slate_probability averages over draws"
    for request in (REQUEST, LONGER):
        for decision in _decisions(policy, n=50, request=request):
            expect_close(
                decision.propensity,
                policy.slate_probability(request, decision.chosen, rng=generator(13)),
                what="the propensity that slate_probability gives",
                advice="log the probability given all items above, the same in both places",
            )
    return None


def slot_distribution_agrees(make: MakePolicy) -> str | None:
    """Where a policy offers slot_distribution, it gives what slate_probability gives one candidate at a time."""
    policy = trained(make)
    if not isinstance(policy, SlotDistribution):
        return "not applicable: the policy has no slot_distribution"
    advice = "give the probabilities of all candidates given those above, 0 where one is placed"
    exact = _is_exact(policy)
    chosen = [decision.chosen for decision in _decisions(policy, n=6, request=LONGER)]
    for above in (slate[:slot] for slate in chosen for slot in range(len(slate))):
        came = policy.slot_distribution(LONGER, above, rng=generator(16))
        if exact or came.any():  # draws may by chance never show what is above
            expect_close(came.sum(), 1.0, what=f"sum over the candidates below {above}", advice=advice)
        if exact:
            open_rows = np.setdiff1d(np.arange(len(LONGER.item_ids)), above)
            slates = [np.append(above, row) for row in open_rows]
            wanted = [policy.slate_probability(LONGER, slate, rng=generator(17))[-1] for slate in slates]
            expect_close(came[open_rows], np.array(wanted), what="what slate_probability gives", advice=advice)
    return None


def deterministic_is_truthful(make: MakePolicy) -> None:
    """A decision is called deterministic if, and only if, no other could have come: then its propensities are 1."""
    policy = trained(make)
    decisions = _decisions(policy, n=200)
    if any(decision.deterministic for decision in decisions):
        _expect_one_slate(policy, decisions)
        return
    # Equal candidates besides, because a sharp sampler is all but certain where scores are apart.
    alike = replace(REQUEST, features=np.ones_like(REQUEST.features))
    certain = all(_weight(decision) == 1.0 for decision in decisions + _decisions(policy, n=200, request=alike))
    advice = "set deterministic=True where nothing is drawn"
    expect(not certain, expected="a propensity below 1", came="1 in every decision", advice=advice)


def _expect_one_slate(policy: Policy, decisions: list[Decision]) -> None:
    advice = "set deterministic=False where the slate is drawn"
    certain = all(_weight(decision) == 1.0 for decision in decisions)
    expect(certain, expected="propensities of 1 in a deterministic decision", came="less", advice=advice)
    n_slates = len({tuple(decision.chosen.tolist()) for decision in decisions})
    expect(
        n_slates == 1 or not _is_exact(policy),
        expected="one slate from a deterministic policy whose probabilities are exact",
        came=f"{n_slates} slates",
        advice=advice,
    )


def _decisions(policy: Policy, *, n: int = N_ACTS, request: Request = REQUEST) -> list[Decision]:
    rng = generator(14)
    return [policy.act(request, rng=rng) for _ in range(n)]


def _weight(decision: Decision) -> float:
    return 1.0 / float(decision.propensity.prod())


def _probabilities(policy: Policy, *, repeats: int) -> FloatArray:
    """What `slate_probability` says of each slate, with a generator of its own in each repeat; (repeats, slates)."""

    def of_all_slates(seed: int) -> list[float]:
        return [float(policy.slate_probability(REQUEST, slate, rng=generator(seed)).prod()) for slate in SLATES]

    return np.array([of_all_slates(100 + repeat) for repeat in range(repeats)])


def _effective_draws(repeats: FloatArray) -> float:
    """As how many draws of slates the repeats (repeats, slates) are worth; infinite if they are exact.

    One estimate from all slates, because a rare slate may not occur in any repeat and then shows no variance.
    """
    noise = float(repeats.var(axis=0, ddof=1).sum())
    p = repeats.mean(axis=0)
    return len(repeats) * float((p * (1.0 - p)).sum()) / noise if noise > ROUNDING**2 else np.inf


def _is_exact(policy: Policy) -> bool:
    """True if `slate_probability` draws nothing."""
    rng = generator(18)
    policy.slate_probability(REQUEST, SLATES[0], rng=rng)
    return rng.bit_generator.state == generator(18).bit_generator.state
