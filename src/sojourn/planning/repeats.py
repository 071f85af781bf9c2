"""The best session where an item may be shown again: the paper's backward induction."""

from __future__ import annotations

import numpy as np

from sojourn.records import FloatArray, IntArray, Plan, SessionMDP


def plan_with_repeats(mdp: SessionMDP) -> Plan:
    """The sequence of T items, repeats allowed, that is worth most (Zhao et al. 2020, algorithm 2).

    Without repeats no plan is worth more, so its value is a bound on all of them, though a loose one. O(T m).
    """
    choices, _ = backward_induction(*mdp.by_step())
    return Plan.of(mdp, choices)


def backward_induction(reward: FloatArray, hazard: FloatArray) -> tuple[IntArray, FloatArray]:
    """What to show at each step, (t,), and V* from each step on, (t + 1,), of rewards and hazards (t, m).

    V*_t = max_a R_ta + (1 - q_ta) V*_{t+1}, and 0 after the last step (eqs. 8-12). The first of equals is shown.
    """
    n_steps = len(reward)
    choices, value = np.empty(n_steps, dtype=np.int64), np.zeros(n_steps + 1)
    stays = 1.0 - hazard
    for t in range(n_steps - 1, -1, -1):
        worth = reward[t] + stays[t] * value[t + 1]
        choices[t] = worth.argmax()
        value[t] = worth[choices[t]]
    return choices, value
