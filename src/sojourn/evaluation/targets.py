"""How likely a target policy would have chosen what a log shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import length_hint

import numpy as np

from sojourn.errors import ContractError, InvalidInputError
from sojourn.interfaces import Policy
from sojourn.records import FloatArray, IntArray, Request


def target_propensity(
    policy: Policy,
    rounds: Iterable[tuple[Request, IntArray]],
    *,
    width: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> FloatArray:
    """Probability under ``policy`` of each logged choice given those above it.

    Parameters
    ----------
    policy
        The target policy; it is asked, never changed.
    rounds
        The logged requests and the rows that were chosen, top slot first, in the order of the log.
    width
        Slots k of the widest page.
    rng
        For policies whose explorer draws.
    progress
        Called with (rounds done, rounds in all or 0 if unknown).

    Returns
    -------
    (n, k) float
        1 where a page has no such slot, as a ratio of 1 leaves the weights alone.
    """
    if width < 1:
        raise InvalidInputError(f"width: expected >= 1, got {width}")
    total = length_hint(rounds)
    rows: list[FloatArray] = []
    for request, chosen in rounds:
        row = np.ones(width)
        if len(chosen) > width:
            raise InvalidInputError(f"width: round {request.request_id} shows {len(chosen)} items, got width {width}")
        probability = policy.slate_probability(request, chosen, rng=rng)
        if probability.shape != chosen.shape:
            raise ContractError(
                f"{policy.name}.slate_probability: expected shape {chosen.shape}, got {probability.shape}"
            )
        row[: len(chosen)] = probability
        rows.append(row)
        if progress is not None:
            progress(len(rows), total)
    return np.stack(rows) if rows else np.empty((0, width))
