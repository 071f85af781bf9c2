"""Off-policy values of whole sessions. 5c: clicks per session of 100,000 sessions, some 300,000 pages of 12 slots.

Ours gives per-decision importance sampling with the cascade's weights, as it is and normalized, with intervals. No
library that we know values sessions of slates of unequal lengths; beside it stands the textbook's loop over sessions,
which gives the value that is not normalized alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contest import Case, Contender, Step, agrees


def session_log(n_sessions: int, n_slots: int) -> dict[str, Any]:
    """Sessions of 3 pages on average: clicks, and the probability of each choice under both policies, (n, k)."""
    rng = np.random.default_rng(0)
    session = np.repeat(np.arange(n_sessions), rng.geometric(1.0 / 3.0, size=n_sessions))
    shape = len(session), n_slots
    propensity = rng.uniform(0.05, 0.2, size=shape)
    return {
        "session": session,
        "click": (rng.random(shape) < 0.1).astype(np.float64),
        "propensity": propensity,
        "target": propensity * rng.uniform(0.95, 1.05, size=shape),
    }


def sojourn_sessions(*, n_sessions: int, n_slots: int) -> Step:
    """Both estimates on one `WeightedSessions`."""
    from sojourn.evaluation import SessionEstimator, WeightedSessions
    from sojourn.records import LogBatch

    log = session_log(n_sessions, n_slots)
    shape = log["click"].shape
    batch = LogBatch(
        item=np.tile(np.arange(n_slots), (shape[0], 1)),
        features=np.zeros((*shape, 0)),
        click=log["click"],
        reward=log["click"],
        position=np.tile(np.arange(n_slots), (shape[0], 1)),
        session=log["session"],
        step=np.zeros(shape[0], dtype=np.int64),
        propensity=log["propensity"],
    )

    def step() -> dict[str, float]:
        weighted = WeightedSessions(batch, log["target"])
        plain, normalized = (SessionEstimator(normalized=each).estimate_on(weighted) for each in (False, True))
        return {"value": plain.value, "normalized": normalized.value}

    return step


def session_by_session(*, n_sessions: int, n_slots: int) -> Step:
    """The sum over a session of its rewards, each times the product of the ratios so far."""
    log = session_log(n_sessions, n_slots)
    starts = np.flatnonzero(np.diff(log["session"], prepend=-1))

    def step() -> dict[str, float]:
        total = 0.0
        for start, end in zip(starts, [*starts[1:], len(log["session"])], strict=True):
            ratio = log["target"][start:end] / log["propensity"][start:end]
            total += float(np.cumprod(ratio) @ log["click"][start:end].ravel())
        return {"value": total / n_sessions}

    return step


def _gap(ours: dict[str, float], theirs: dict[str, float]) -> float:
    return abs(ours["value"] - theirs["value"])


LOOP = "session by session"
CASES = (
    Case(
        id="5c",
        work="clicks per session, 100,000 sessions of pages of 12 slots",
        ours=Contender(name="sojourn", build=sojourn_sessions, packages=("sojourn", "numpy"), environment="sojourn"),
        peers=(
            Contender(
                name=LOOP,
                build=session_by_session,
                packages=("numpy",),
                environment="sojourn",
                differs="NumPy's arithmetic in Python's loop; one value, neither normalized nor with an interval",
            ),
        ),
        goals=(agrees(1e-9, LOOP),),
        setup={"n_sessions": 100_000, "n_slots": 12},
        turns=3,
        gap=_gap,
    ),
)
