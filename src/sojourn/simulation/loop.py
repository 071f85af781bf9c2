"""The closed loop: policies decide, simulated people answer, policies learn; all meet the same people.

Common random numbers make the comparison paired. Request t of a seed, and the uniforms that decide its clicks, come
from generators that depend on (seed, t) alone, so no policy can disturb what another one meets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Environment, Policy
from sojourn.records import FloatArray, IntArray, LogBatch
from sojourn.simulation.comparison import Comparison

N_CHECKPOINTS = 100
"""Points of a learning curve."""

_REQUESTS, _PEOPLE, _CHOICES = range(3)  # streams of random numbers


def compare(
    policies: Mapping[str, Callable[[int], Policy]],
    environment: Callable[[int], Environment],
    *,
    n_rounds: int,
    seeds: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Let policies learn online, one round at a time, from people whose truth is known.

    Parameters
    ----------
    policies
        Name -> factory that makes a fresh policy for a seed. Each policy draws from a generator of its own, in the
        same state for all policies.
    environment
        Factory that makes the world of a seed. One world serves all policies, so its answers must not depend on
        earlier calls.
    n_rounds
        Rounds that each policy plays in each seed.
    seeds
        Distinct, >= 0.
    progress
        Told (rounds done, rounds in all) at each checkpoint; the rounds of all policies count as one.

    Raises
    ------
    InvalidInputError
        No policy, no round, no seed, a negative seed or one that comes twice.
    """
    _check(policies, n_rounds, seeds)
    checkpoints = np.unique(np.linspace(0, n_rounds, N_CHECKPOINTS + 1).round().astype(np.int64)[1:])
    checkpoints = checkpoints[checkpoints > 0]
    frames = []
    for done, seed in enumerate(seeds):

        def report(rounds: int, before: int = done * n_rounds) -> None:
            if progress is not None:
                progress(before + rounds, n_rounds * len(seeds))

        played = _play(
            [make(seed) for make in policies.values()],
            environment(seed),
            seed=seed,
            n_rounds=n_rounds,
            checkpoints=set(checkpoints.tolist()),
            report=report,
        )
        frames.append(_sums(list(policies), seed, played, checkpoints))
    return Comparison(runs=pl.concat(frames))


def _check(policies: Mapping[str, object], n_rounds: int, seeds: Sequence[int]) -> None:
    if not policies:
        raise InvalidInputError("policies: expected at least one, got none")
    if n_rounds < 1:
        raise InvalidInputError(f"n_rounds: expected at least 1, got {n_rounds}")
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise InvalidInputError(f"seeds: expected distinct whole numbers >= 0, at least one, got {list(seeds)}")


class _RoundStream:
    """A generator that is put at the start of any round: Philox, its counter split into one range per round."""

    def __init__(self, seed: int, stream: int) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence([seed, stream]))
        self._start = self._bits.state
        self._counter = self._start["state"]["counter"]
        self._generator = np.random.Generator(self._bits)

    def at(self, t: int) -> np.random.Generator:
        self._counter[1] = t
        self._bits.state = self._start
        return self._generator


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Played:
    """What each policy got in each round, (p, t), and what the best slate was worth, (t,)."""

    slots: FloatArray
    clicks: FloatArray
    expected: FloatArray
    set_reward: FloatArray
    best: FloatArray
    best_set_reward: FloatArray


def _play(
    policies: list[Policy],
    environment: Environment,
    *,
    seed: int,
    n_rounds: int,
    checkpoints: set[int],
    report: Callable[[int], None],
) -> _Played:
    requests, people = _RoundStream(seed, _REQUESTS), _RoundStream(seed, _PEOPLE)
    choices = [np.random.default_rng([seed, _CHOICES]) for _ in policies]
    slots, clicks, expected, set_reward = np.zeros((4, len(policies), n_rounds))
    best, best_set_reward = np.zeros((2, n_rounds))
    for t in range(n_rounds):
        request = environment.request(rng=requests.at(t))
        best_slate = environment.best_slate(request)
        best[t] = environment.expected_reward(request, best_slate)
        best_set_reward[t] = environment.expected_set_reward(request, best_slate)
        for p, policy in enumerate(policies):
            decision = policy.act(request, rng=choices[p])
            feedback = environment.feedback(request, decision, rng=people.at(t))
            policy.update(LogBatch.of(request, decision, feedback))
            slots[p, t] = len(decision.chosen)
            clicks[p, t] = feedback.click.sum()
            expected[p, t] = environment.expected_reward(request, decision.chosen)
            set_reward[p, t] = environment.expected_set_reward(request, decision.chosen)
        if t + 1 in checkpoints:
            report(t + 1)
    return _Played(
        slots=slots,
        clicks=clicks,
        expected=expected,
        set_reward=set_reward,
        best=best,
        best_set_reward=best_set_reward,
    )


def _sums(names: list[str], seed: int, played: _Played, checkpoints: IntArray) -> pl.DataFrame:
    """Running sums at the checkpoints, policy by policy."""

    def total(per_round: FloatArray) -> FloatArray:
        return per_round.cumsum(axis=1)[:, checkpoints - 1].ravel()

    return pl.DataFrame(
        {
            "policy": np.repeat(names, len(checkpoints)).tolist(),
            "seed": np.full(len(names) * len(checkpoints), seed),
            "round": np.tile(checkpoints, len(names)),
            "slots": total(played.slots).astype(np.int64),
            "clicks": total(played.clicks).astype(np.int64),
            "expected_clicks": total(played.expected),
            "regret": total(played.best - played.expected),
            "set_reward": total(played.set_reward),
            "set_regret": total(played.best_set_reward - played.set_reward),
        }
    )
