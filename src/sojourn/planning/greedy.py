"""Plans made from the first step on: at each step the unused item with the largest score."""

from __future__ import annotations

import numpy as np

from sojourn.planning.exact import ratio_of
from sojourn.records import FloatArray, IntArray, Plan, SessionMDP


def plan_greedy(mdp: SessionMDP) -> Plan:
    """The largest reward of each step, whatever it drives away: what ranking by click rate does."""
    reward, _ = mdp.by_step()
    return Plan.of(mdp, choose_forward(reward[: mdp.length]))


def plan_by_ratio(mdp: SessionMDP) -> Plan:
    """The largest reward per hazard, R / q, of each step; harmless items first, by their rewards.

    The right order of the items that a plan holds, where rewards and hazards do not change along the session, but not
    the right choice of them: a harmless item that earns next to nothing comes first.
    """
    reward, hazard = mdp.by_step()
    return Plan.of(mdp, choose_forward(ratio_of(reward, hazard)[: mdp.length]))


def choose_forward(scores: FloatArray) -> IntArray:
    """At each step the unused item of the largest score, (t,), of scores (t, m) with t <= m; the first of equals."""
    order = np.empty(len(scores), dtype=np.int64)
    used = np.zeros(scores.shape[1])  # -inf once used
    for t, score in enumerate(scores):
        order[t] = (score + used).argmax()
        used[order[t]] = -np.inf
    return order
