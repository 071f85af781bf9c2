"""The best plan without repeats, K = 1,000 and T = 50, and the plans of many sessions at once, K = 100.

Rewards are Beta(2, 23) and hazards Beta(2, 112), tied by a Gaussian copula of correlation .2. The peer is the beam
search of the field: it keeps the prefixes that are worth most so far. That is a heuristic; *answers differ by* is the
share of the best plan's value that it loses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.contest import Case, Contender, Step, at_most
from sojourn.planning import plan_exact, plan_many
from sojourn.records import FloatArray, IntArray, SessionMDP, value_of

BEAM_SIZE = 10
CORRELATION = 0.2


def candidates(n: int) -> tuple[FloatArray, FloatArray]:
    """Rewards and hazards, (n,) each."""
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, n))
    second = CORRELATION * first + np.sqrt(1.0 - CORRELATION**2) * second
    return _ranked_as(first, rng.beta(2.0, 23.0, size=n)), _ranked_as(second, rng.beta(2.0, 112.0, size=n))


def _ranked_as(scores: FloatArray, values: FloatArray) -> FloatArray:
    """The values, the largest where the score is largest."""
    ranked = np.empty(len(values))
    ranked[np.argsort(scores)] = np.sort(values)
    return ranked


def beam_search(reward: FloatArray, hazard: FloatArray, n_steps: int) -> IntArray:
    """Order (t,) without repeats; of all prefixes, the ten of most value go on at each step."""
    m, stays = len(reward), 1.0 - hazard
    orders = np.argpartition(reward, m - BEAM_SIZE)[m - BEAM_SIZE :, None]  # (s, steps so far)
    value, survival = reward[orders[:, 0]], stays[orders[:, 0]]
    lanes = np.arange(BEAM_SIZE)[:, None]
    for _ in range(1, n_steps):
        longer = survival[:, None] * reward
        longer += value[:, None]
        longer[lanes, orders] = -np.inf
        best = np.argpartition(longer, longer.size - BEAM_SIZE, axis=None)[-BEAM_SIZE:]
        lane, row = np.divmod(best, m)
        orders = np.column_stack((orders[lane], row))
        value, survival = longer.ravel()[best], survival[lane] * stays[row]
    return np.asarray(orders[value.argmax()])


def sojourn_plan(*, n_candidates: int, n_steps: int) -> Step:
    """`plan_exact`, and the record that checks its input; the bound of an exact plan is its value."""
    reward, hazard = candidates(n_candidates)
    return lambda: plan_exact(SessionMDP(reward=reward, hazard=hazard, n_steps=n_steps)).bound


def beam_plan(*, n_candidates: int, n_steps: int) -> Step:
    """`beam_search`, and the value of its plan."""
    reward, hazard = candidates(n_candidates)
    return lambda: _value(reward, hazard, beam_search(reward, hazard, n_steps))


def _value(reward: FloatArray, hazard: FloatArray, order: IntArray) -> float:
    return float(value_of(reward[order], hazard[order]))


def sojourn_plans(*, n_sessions: int, n_candidates: int, n_steps: int) -> Step:
    """`plan_many`."""
    reward, hazard = _sessions(n_sessions, n_candidates)
    return lambda: float(plan_many(reward, hazard, n_steps).value.mean())


def one_by_one(*, n_sessions: int, n_candidates: int, n_steps: int) -> Step:
    """`plan_exact` in a loop."""
    return _mean_value(
        n_sessions,
        n_candidates,
        lambda reward, hazard: plan_exact(SessionMDP(reward=reward, hazard=hazard, n_steps=n_steps)).value,
    )


def beam_one_by_one(*, n_sessions: int, n_candidates: int, n_steps: int) -> Step:
    """`beam_search` in a loop."""
    return _mean_value(
        n_sessions,
        n_candidates,
        lambda reward, hazard: _value(reward, hazard, beam_search(reward, hazard, n_steps)),
    )


def _mean_value(n_sessions: int, n_candidates: int, plan: Callable[[FloatArray, FloatArray], float]) -> Step:
    reward, hazard = _sessions(n_sessions, n_candidates)
    return lambda: float(np.mean([plan(*session) for session in zip(reward, hazard, strict=True)]))


def _sessions(n_sessions: int, n_candidates: int) -> tuple[FloatArray, FloatArray]:
    """(b, m) each."""
    reward, hazard = candidates(n_sessions * n_candidates)
    return reward.reshape(n_sessions, -1), hazard.reshape(n_sessions, -1)


def share_lost(ours: float, theirs: float) -> float:
    """Of the best plan's value."""
    return 1.0 - theirs / ours


OURS = Contender(name="sojourn", build=sojourn_plan, packages=("sojourn", "numpy"), environment="sojourn")
BEAM = Contender(
    name="beam search",
    build=beam_plan,
    packages=("numpy",),
    environment="sojourn",
    differs=f"a heuristic, {BEAM_SIZE} prefixes, written in NumPy for this table",
)
CASES = (
    Case(
        id="6",
        work="best plan without repeats, 50 of 1,000 candidates",
        ours=OURS,
        peers=(BEAM,),
        goals=(at_most(200e-6, "200 us"),),
        setup={"n_candidates": 1_000, "n_steps": 50},
        gap=share_lost,
    ),
    Case(
        id="6b",
        work="the same for 2,000 sessions at once, 50 of 100 candidates each",
        ours=Contender(name="sojourn", build=sojourn_plans, packages=("sojourn", "numpy"), environment="sojourn"),
        peers=(
            Contender(
                name="plan_exact, one by one",
                build=one_by_one,
                packages=("sojourn", "numpy"),
                environment="sojourn",
                differs="ours, without batches",
            ),
            Contender(
                name="beam search",
                build=beam_one_by_one,
                packages=("numpy",),
                environment="sojourn",
                differs=BEAM.differs,
            ),
        ),
        goals=(),
        setup={"n_sessions": 2_000, "n_candidates": 100, "n_steps": 50},
        turns=5,
        gap=share_lost,
    ),
)
