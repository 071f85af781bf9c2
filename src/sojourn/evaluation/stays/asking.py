"""What a policy is asked about a logged session: each page with the state that it had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sojourn.interfaces import Policy
from sojourn.records import IntArray, LogBatch, Request, SessionState


@runtime_checkable
class KeepsPlan(Protocol):
    """What a policy may offer besides, such as `sojourn.planning.SessionPolicy`: the rest of its plan."""

    def rest_of_plan(self, request: Request, chosen: IntArray) -> NDArray[Any]:
        """Ids of the items that the plan of this request shows below the given page, in order."""
        ...


def with_states(
    rounds: Iterable[tuple[Request, IntArray]], batch: LogBatch, policy: Policy
) -> Iterator[tuple[Request, IntArray]]:
    """The rounds of a log as the policy would have met them: with what the session had shown, and what was clicked.

    The request's step becomes the number of items shown before. A policy that keeps a plan finds its own in the state,
    as if it had served the session so far.

    Parameters
    ----------
    rounds
        Requests and chosen rows, in the order of the log; those of a session in their order.
    batch
        The same rounds.
    policy
        Who will be asked.
    """
    session = np.unique(batch.session, return_inverse=True)[1]
    codes, left = session.tolist(), np.bincount(session).tolist()
    keeper = policy if isinstance(policy, KeepsPlan) else None
    states: dict[int, SessionState] = {}
    for row, (request, chosen) in enumerate(rounds):
        code = codes[row]
        state = states.get(code, SessionState())
        asked = replace(request, step=state.n_items, state=state)
        yield asked, chosen
        left[code] -= 1
        if left[code]:
            planned = None if keeper is None else keeper.rest_of_plan(asked, chosen)
            click = batch.click[row, : len(chosen)]
            states[code] = state.after(request.item_ids[chosen], click, planned=planned)
        else:
            states.pop(code, None)
