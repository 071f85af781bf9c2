"""What a policy promises about the slates that it shows."""

from __future__ import annotations

import copy
import pickle
import random
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.loans import copied, expect_unchanged, read_only
from sojourn.checks.small_worlds import N_FEATURES, N_SLOTS, draw_log, draw_request
from sojourn.interfaces import Policy
from sojourn.records import Decision, FloatArray, Request

PURE: Final = "let act and slate_probability read the policy, never write to it, and draw from rng alone"


class MakePolicy(Protocol):
    """A factory of untrained policies."""

    def __call__(self, *, n_features: int, n_slots: int) -> Policy:
        """A policy for candidates with n_features and pages of at most n_slots."""
        ...


def trained(make: MakePolicy) -> Policy:
    """A policy that has learned from a small log."""
    policy = make(n_features=N_FEATURES, n_slots=N_SLOTS)
    policy.update(draw_log(generator(1)))
    return policy


def behaviour(policy: Policy) -> FloatArray:
    """What the policy does on pinned requests with pinned generators, as numbers: equal for equal policies."""
    parts: list[FloatArray] = []
    for seed in range(20):
        request = draw_request(generator(seed), n_candidates=6, n_slots=N_SLOTS)
        decision = policy.act(request, rng=generator(1000 + seed))
        parts += [decision.chosen.astype(np.float64), decision.propensity]
        if seed < 2:
            parts.append(policy.slate_probability(request, np.array([4, 0, 2]), rng=generator(2000 + seed)))
    return np.concatenate(parts)


def keeps_the_protocol(make: MakePolicy) -> None:
    """The policy has act, slate_probability, update and a name, and writes the name into its decisions."""
    policy = make(n_features=N_FEATURES, n_slots=N_SLOTS)
    expect(
        isinstance(policy, Policy),
        expected="the attributes and methods of sojourn.interfaces.Policy",
        came=type(policy).__name__,
        advice="write the missing ones",
    )
    written = policy.act(draw_request(generator(1)), rng=generator(2)).policy
    expect(
        bool(policy.name) and written == policy.name,
        expected=f"the decision to carry the policy's name, {policy.name!r}",
        came=repr(written),
        advice="pass policy=self.name to Decision",
    )


def echoes_the_request(make: MakePolicy) -> None:
    """A decision carries the id of the request that it answers."""
    request = draw_request(generator(1))
    came = trained(make).act(request, rng=generator(2)).request_id
    expect(
        came == request.request_id,
        expected=f"request_id {request.request_id!r}",
        came=repr(came),
        advice="pass request_id=request.request_id to Decision",
    )


def slate_is_well_formed(make: MakePolicy) -> None:
    """A slate holds n_slots different rows of the candidates, each with a propensity in (0, 1]."""
    policy = trained(make)
    for seed in range(40):
        request = draw_request(generator(seed), n_candidates=8, n_slots=1 + seed % N_SLOTS)
        _expect_slate(policy, request)


def shows_all_candidates(make: MakePolicy) -> None:
    """A page as long as the candidate list works."""
    _expect_slate(trained(make), draw_request(generator(3), n_candidates=N_SLOTS, n_slots=N_SLOTS))


def shows_the_only_candidate(make: MakePolicy) -> None:
    """A request with one candidate works; the propensity is 1."""
    decision = _expect_slate(trained(make), draw_request(generator(4), n_candidates=1, n_slots=1))
    expect_close(decision.propensity, 1.0, what="propensity of the only choice", advice="divide by the open candidates")


def fills_lower_slots(make: MakePolicy) -> None:
    """A request whose first slot lies further down the page works, within the n_slots the policy was made for."""
    policy = trained(make)
    for first in range(N_SLOTS):
        _expect_slate(policy, draw_request(generator(first), n_slots=N_SLOTS - first, first_position=first))


def accepts_names_as_item_ids(make: MakePolicy) -> None:
    """Candidates may be coded by strings."""
    request = draw_request(generator(5))
    _expect_slate(trained(make), replace(request, item_ids=np.array(["a", "b", "c", "d"])))


def act_is_pure(make: MakePolicy) -> None:
    """The same generator state gives the same decision and probability, however much was decided in between."""
    policy = trained(make)
    before = behaviour(policy)
    for seed in range(60):
        request = draw_request(generator(100 + seed), n_candidates=5)
        decision = policy.act(request, rng=generator(seed))
        if seed % 10 == 0:
            policy.slate_probability(request, decision.chosen, rng=generator(seed))
    expect_close(behaviour(policy), before, what="the decisions and probabilities of before", advice=PURE)


def draws_from_rng_alone(make: MakePolicy) -> None:
    """Decisions do not depend on the global generators of NumPy and Python."""
    policy = trained(make)
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 - what may not be used
    seen = []
    try:
        for seed in (1, 2):
            np.random.seed(seed)  # noqa: NPY002 - as above
            random.seed(seed)
            seen.append(behaviour(policy))
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002 - as above
        random.setstate(python_state)
    expect_close(seen[1], seen[0], what="the same decisions under any global seed", advice=PURE)


def leaves_global_generators_alone(make: MakePolicy) -> None:
    """Neither acting nor learning moves the global generators of NumPy and Python."""
    before = (str(np.random.get_state()), random.getstate())  # noqa: NPY002 - what may not be moved
    behaviour(trained(make))
    after = (str(np.random.get_state()), random.getstate())  # noqa: NPY002 - as above
    expect(before == after, expected="the global generators untouched", came="another state", advice=PURE)


def act_leaves_the_request_alone(make: MakePolicy) -> None:
    """Deciding does not change the arrays of the request."""
    policy, request = trained(make), draw_request(generator(6))
    before = copied(request)
    policy.act(request, rng=generator(7))
    expect_unchanged(request, before, call="act")
    policy.slate_probability(request, np.array([2, 0]), rng=generator(8))
    expect_unchanged(request, before, call="slate_probability")


def works_on_read_only_arrays(make: MakePolicy) -> None:
    """Requests and logs whose arrays cannot be written work, and give what writable ones give."""
    policy = make(n_features=N_FEATURES, n_slots=N_SLOTS)
    policy.update(read_only(draw_log(generator(1))))
    request = draw_request(generator(6))
    wanted = trained(make).act(request, rng=generator(7)).chosen
    came = policy.act(read_only(request), rng=generator(7)).chosen
    expect_close(came, wanted, what="the slate", advice="copy an array before writing to it")


def survives_copying(make: MakePolicy) -> str | None:
    """A deep copy decides as the original does, and so does a pickled one where pickling works."""
    policy = trained(make)
    wanted = behaviour(policy)
    advice = "keep all that decisions depend on in the attributes"
    expect_close(behaviour(copy.deepcopy(policy)), wanted, what="the decisions of the original", advice=advice)
    try:
        stored = pickle.dumps(policy)
    except (pickle.PicklingError, TypeError, AttributeError):
        return "copied only: the policy cannot be pickled"
    expect_close(behaviour(pickle.loads(stored)), wanted, what="the decisions of the original", advice=advice)
    return None


def _expect_slate(policy: Policy, request: Request) -> Decision:
    decision = policy.act(request, rng=generator(9))
    m, chosen, propensity = len(request.item_ids), decision.chosen, decision.propensity
    expect(
        chosen.shape == (request.n_slots,) and chosen.dtype.kind in "iu",
        expected=f"{request.n_slots} integers in chosen",
        came=f"{chosen.dtype} of shape {chosen.shape}",
        advice="fill request.n_slots slots with rows of the candidates",
    )
    expect(
        chosen.min() >= 0 and chosen.max() < m and len(set(chosen.tolist())) == len(chosen),
        expected=f"different rows, 0 to {m - 1}, in chosen",
        came=chosen,
        advice="choose among the open candidates, by row and not by item id",
    )
    expect(
        propensity.shape == chosen.shape and propensity.min() > 0.0 and propensity.max() <= 1.0,
        expected="one propensity in (0, 1] for each slot",
        came=propensity,
        advice="give the probability of each choice given those above it",
    )
    return decision
