"""Learning in one pass over a log: 100,000 rows with d = 10 in one call of ``update``."""

# mypy: disable-error-code="import-not-found, import-untyped"
# (the peers live in an environment of their own)

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contest import Case, Contender, Step, at_most, times_faster

N_ROWS, N_SLOTS, N_ARMS = 100_000, 10, 900


def rows(n_features: int) -> tuple[Any, Any, Any]:
    """Features (r, d), clicks (r,) and, for peers that keep one model per arm, arms (r,)."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(N_ROWS, n_features))
    return features, (rng.random(N_ROWS) < 0.2).astype(np.float64), rng.integers(N_ARMS, size=N_ROWS)


def sojourn(*, n_features: int) -> Step:
    """`Policy.update` of LinUCB-k with 10,000 pages of 10 slots."""
    from sojourn import recipes
    from sojourn.records import LogBatch

    features, click, _ = rows(n_features)
    n_rounds = N_ROWS // N_SLOTS
    shape = n_rounds, N_SLOTS
    batch = LogBatch(
        item=np.arange(N_ROWS).reshape(shape),
        features=features.reshape(*shape, n_features),
        click=click.reshape(shape),
        reward=click.reshape(shape),
        position=np.tile(np.arange(N_SLOTS), (n_rounds, 1)),
        session=np.arange(n_rounds),
        step=np.zeros(n_rounds, dtype=np.int64),
    )
    policy = recipes.linucb_k(n_features=n_features, n_slots=N_SLOTS)
    return lambda: policy.update(batch)


def mab2rec(*, n_features: int) -> Step:
    """`BanditRecommender.partial_fit` with LinUCB."""
    from mab2rec import BanditRecommender, LearningPolicy

    features, click, arm = rows(n_features)
    policy = BanditRecommender(LearningPolicy.LinUCB(alpha=0.3), top_k=N_SLOTS, seed=1)
    policy.fit(decisions=np.arange(N_ARMS), rewards=np.zeros(N_ARMS), contexts=np.zeros((N_ARMS, n_features)))
    return lambda: policy.partial_fit(decisions=arm, rewards=click, contexts=features)


def vowpal_wabbit(*, n_features: int) -> Step:
    """One pass of the linear learner over a text file, read by its own parser."""
    from vowpalwabbit import Workspace

    features, click, _ = rows(n_features)
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "log.txt"
    text = (
        f"{reward:.0f} | " + " ".join(f"{column}:{value:.6g}" for column, value in enumerate(row))
        for row, reward in zip(features, click, strict=True)
    )
    path.write_text("\n".join(text) + "\n")

    def step(kept: object = folder) -> None:  # the folder is removed with the step
        Workspace(f"-d {path} --quiet").finish()

    return step


CASES = (
    Case(
        id="11",
        work="learn 100,000 rows in one batch, d = 10",
        ours=Contender(name="sojourn", build=sojourn, packages=("sojourn", "numpy"), environment="sojourn"),
        peers=(
            Contender(
                name="mab2rec",
                build=mab2rec,
                packages=("mab2rec", "mabwiser"),
                differs=f"one model for each of {N_ARMS} arms",
            ),
            Contender(
                name="Vowpal Wabbit",
                build=vowpal_wabbit,
                packages=("vowpalwabbit",),
                differs="stochastic gradient steps, no uncertainty; reads its text from a file that is in memory",
            ),
        ),
        goals=(times_faster(50, "mab2rec"), at_most(0.1, "1M rows/s")),
        setup={"n_features": 10},
    ),
)
