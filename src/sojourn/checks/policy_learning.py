"""What a policy promises about learning."""

from __future__ import annotations

import pickle
from typing import Final

from sojourn.checks.chance import generator
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.loans import copied, expect_unchanged, on_loan
from sojourn.checks.policy_acts import MakePolicy, behaviour, trained
from sojourn.checks.small_worlds import N_FEATURES, N_SLOTS, draw_log, padded
from sojourn.interfaces import Policy

N_UPDATES: Final = 64
GROWTH: Final = 1.01
COUNTERS: Final = 64  # bytes: a count takes more of them when it grows


def update_leaves_the_log_alone(make: MakePolicy) -> None:
    """Learning does not change the arrays of the log."""
    policy, batch = make(n_features=N_FEATURES, n_slots=N_SLOTS), draw_log(generator(21))
    before = copied(batch)
    policy.update(batch)
    expect_unchanged(batch, before, call="update")


def update_keeps_no_hold_of_the_log(make: MakePolicy) -> None:
    """Once update has returned, the caller may write to the arrays of the log."""
    lent, spoil = on_loan(draw_log(generator(22)))
    policy, twin = trained(make), trained(make)
    policy.update(lent)
    spoil()
    twin.update(draw_log(generator(22)))
    for each in (policy, twin):
        each.update(draw_log(generator(23), n_rounds=5))
    expect_close(
        behaviour(policy),
        behaviour(twin),
        what="the decisions of a policy whose log was left alone",
        advice="keep copies or sums of the log, not its arrays",
    )


def nothing_is_learned_from_nothing(make: MakePolicy) -> None:
    """A log without rounds is accepted and changes no decision."""
    policy = trained(make)
    before = behaviour(policy)
    policy.update(draw_log(generator(24), n_rounds=0))
    expect_close(behaviour(policy), before, what="the decisions of before", advice="return at once where n_rounds == 0")


def empty_slots_teach_nothing(make: MakePolicy) -> None:
    """What a slot without item holds is not read: padded pages teach what the same pages without padding teach."""
    policies = [make(n_features=N_FEATURES, n_slots=N_SLOTS + 1) for _ in range(2)]
    batch = draw_log(generator(25))
    policies[0].update(padded(batch))
    policies[1].update(batch)
    expect_close(
        behaviour(policies[0]),
        behaviour(policies[1]),
        what="the decisions of a policy that saw no padding",
        advice="learn from the slots where batch.shown is True only",
    )


def memory_is_bounded(make: MakePolicy) -> str | None:
    """A policy does not grow with the rounds that it learns from: its pickle keeps its size."""
    policy = make(n_features=N_FEATURES, n_slots=N_SLOTS)
    try:
        pickle.dumps(policy)
    except (pickle.PicklingError, TypeError, AttributeError):
        return "not measured: the policy cannot be pickled"
    early, late = _size_after_updates(policy), _size_after_updates(policy)
    expect(
        late <= GROWTH * early + COUNTERS,
        expected=f"about {early} bytes after {2 * N_UPDATES} updates, as after {N_UPDATES}",
        came=f"{late} bytes",
        advice="keep sums, or a buffer of fixed length, instead of all rounds",
    )
    return None


def _size_after_updates(policy: Policy) -> int:
    rng = generator(26)
    for _ in range(N_UPDATES):
        policy.update(draw_log(rng, n_rounds=32))
    return len(pickle.dumps(policy))
