"""``python -m benchmarks.profile_round``: where the time of rows 1 and 2 goes, step by step.

Each step is repeated alone, on warm caches; the whole round, which reads fresh candidates, takes longer than the sum.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded

import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

from benchmarks.row01_decide_and_learn import N_SLOTS, rounds, sojourn
from sojourn import recipes
from sojourn.models import BayesianRidge
from sojourn.policies import FixedScores
from sojourn.records import Feedback, LogBatch, Request

CASES = (("1a", "linucb_k", 10), ("1b", "iba_linucb", 10), ("2a", "linucb_k", 50), ("2b", "iba_linucb", 50))


def microseconds(work: Callable[[], object], repeats: int = 1_000) -> float:
    """Median time of one call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e6 * median(times)


def steps(recipe: str, n_features: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and work of each step of a round, in order."""
    policy = getattr(recipes, recipe)(n_features=n_features, n_slots=N_SLOTS)
    model: BayesianRidge = policy.model
    rng = np.random.default_rng(0)
    features, _, click = next(rounds(n_features))

    def ask() -> Request:
        return Request(request_id="r", item_ids=np.arange(len(features)), features=features, n_slots=N_SLOTS)

    request = ask()
    decision = policy.act(request, rng=rng)
    feedback = Feedback(request_id="r", click=click)
    batch = LogBatch.of(request, decision, feedback)
    rows = policy.exposure.rows(batch)
    scores = FixedScores(policy.explorer.score(model, features, rng=rng))
    yield "Request", ask
    yield "act: mean", lambda: model.mean(features)
    yield "act: standard deviation", lambda: model.std(features)
    yield "act: all of the score", lambda: policy.explorer.score(model, features, rng=rng)
    yield "act: choose 12", lambda: policy.sampler.sample(scores, len(features), N_SLOTS, rng=rng)
    yield "act, all", lambda: policy.act(request, rng=rng)
    yield "Feedback and LogBatch", lambda: LogBatch.of(request, decision, Feedback(request_id="r", click=click))
    yield "update: rows", lambda: policy.exposure.rows(batch)
    yield "update: model", lambda: model.update(rows)
    yield "whole round, fresh candidates", sojourn(recipe=recipe, n_features=n_features)


def main() -> None:
    table = {case: dict(steps(recipe, n_features)) for case, recipe, n_features in CASES}
    print(f"{'us':30}" + "".join(f"{case:>8}" for case in table))
    for name in table["1a"]:
        print(f"{name:30}" + "".join(f"{microseconds(work[name]):8.1f}" for work in table.values()))


if __name__ == "__main__":
    main()
