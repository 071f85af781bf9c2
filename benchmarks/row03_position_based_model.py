"""Position-based click model by EM, 100,000 sessions of 10 positions: seconds an iteration.

1,000 queries with 10 documents each, in random order. Everything that a fit needs once (summing up the log, the report
at the end) is in our figure, spread over its 50 iterations; PyClick has nothing of the kind to do. Smoothing is the
same, so after equal iterations the estimates must be equal.
"""

# mypy: disable-error-code="import-not-found, import-untyped"
# (the peers live in an environment of their own)

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.contest import Case, Contender, Step, Timed, agrees, times_faster

if TYPE_CHECKING:
    from sojourn.records import LogBatch

N_QUERIES, N_POSITIONS = 1_000, 10
COMPARED_AFTER = 2  # iterations; PyClick takes many seconds for each
ITERATIONS = 50


def log(n_sessions: int) -> tuple[Any, Any]:
    """Items and clicks of each page, (n, k); document j of query q has the code 10 q + j."""
    rng = np.random.default_rng(0)
    query = rng.integers(N_QUERIES, size=n_sessions)
    order = rng.permuted(np.tile(np.arange(N_POSITIONS), (n_sessions, 1)), axis=1)
    item = query[:, None] * N_POSITIONS + order
    attraction = rng.beta(1.0, 4.0, size=N_QUERIES * N_POSITIONS)
    examination = 0.85 ** np.arange(N_POSITIONS)
    return item, rng.random(item.shape) < attraction[item] * examination


def pages(item: Any, click: Any) -> LogBatch:
    """The same as Sojourn has it."""
    from sojourn.records import LogBatch

    n_sessions, n_positions = item.shape
    return LogBatch(
        item=item,
        features=np.zeros((*item.shape, 0)),
        click=click.astype(np.float64),
        reward=click.astype(np.float64),
        position=np.tile(np.arange(n_positions), (n_sessions, 1)),
        session=np.arange(n_sessions),
        step=np.zeros(n_sessions, dtype=np.int64),
    )


def search_sessions(item: Any, click: Any) -> list[Any]:
    """The same as PyClick has it."""
    from pyclick.search_session.SearchResult import SearchResult
    from pyclick.search_session.SearchSession import SearchSession

    sessions = []
    for items, clicks in zip(item.tolist(), click.astype(int).tolist(), strict=True):
        session = SearchSession(items[0] // N_POSITIONS)
        session.web_results = [SearchResult(*result) for result in zip(items, clicks, strict=True)]
        sessions.append(session)
    return sessions


def sojourn(*, n_sessions: int) -> Step:
    """`PositionBasedModel.fit` with PyClick's priors and without acceleration."""
    from sojourn.exposure import PositionBasedModel

    item, click = log(n_sessions)
    batch = pages(item, click)

    def fit(n_iterations: int) -> PositionBasedModel:
        model = PositionBasedModel(
            max_iterations=n_iterations,
            tolerance=0.0,
            item_prior=(1.0, 1.0),
            position_prior=(1.0, 1.0),
            anchor_first=False,
            accelerate=False,
        )
        return model.fit(batch)

    early = fit(COMPARED_AFTER)
    answer = [*early.weights, *early.attraction(np.unique(item))]

    def step() -> Timed:
        start = time.perf_counter()
        fit(ITERATIONS)
        return Timed(seconds=(time.perf_counter() - start) / ITERATIONS, answer=answer)

    return step


def pyclick(*, n_sessions: int) -> Step:
    """`PBM.train` with `EMInference`."""
    from pyclick.click_models.Inference import EMInference
    from pyclick.click_models.PBM import PBM

    item, click = log(n_sessions)
    sessions = search_sessions(item, click)

    def step() -> Timed:
        model = PBM()
        start = time.perf_counter()
        EMInference(COMPARED_AFTER).infer_params(model, sessions)
        seconds = (time.perf_counter() - start) / COMPARED_AFTER
        attraction, examination = model.params[PBM.param_names.attr], model.params[PBM.param_names.exam]
        weights = [examination.get(position).value() for position in range(N_POSITIONS)]
        return Timed(
            seconds=seconds,
            answer=weights + [attraction.get(code // N_POSITIONS, code).value() for code in np.unique(item).tolist()],
        )

    return step


def largest_gap(ours: list[float], theirs: list[float]) -> float:
    """Largest difference between two lists of estimates."""
    return float(np.abs(np.subtract(ours, theirs)).max())


CASES = (
    Case(
        id="3",
        work="position-based model by EM, 100,000 x 10, one iteration",
        ours=Contender(name="sojourn", build=sojourn, packages=("sojourn", "numpy", "scipy"), environment="sojourn"),
        peers=(
            Contender(
                name="PyClick",
                build=pyclick,
                checkout="SOJOURN_PYCLICK",
                differs="visits every impression in every iteration; CPython",
            ),
        ),
        goals=(times_faster(2_000, "PyClick"), agrees(1e-6, "PyClick")),
        setup={"n_sessions": 100_000},
        turns=3,
        gap=largest_gap,
    ),
)
