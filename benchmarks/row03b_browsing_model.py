"""User browsing model by EM, 100,000 sessions of 10 positions: seconds an iteration.

The sessions of row 3. Its 55 pairs of position and last click make more cells than the ten positions do; else all is as
in row 3.
"""

# mypy: disable-error-code="import-not-found, import-untyped"
# (the peers live in an environment of their own)

from __future__ import annotations

import time

import numpy as np

from benchmarks.contest import Case, Contender, Step, Timed, agrees
from benchmarks.row03_position_based_model import N_POSITIONS, largest_gap, log, pages, search_sessions

COMPARED_AFTER = 2  # iterations; PyClick takes many seconds for each
ITERATIONS = 50
PAIRS = [(position, last) for position in range(N_POSITIONS) for last in range(-1, position)]


def sojourn(*, n_sessions: int) -> Step:
    """`BrowsingModel.fit` with PyClick's priors and without acceleration."""
    from sojourn.exposure import BrowsingModel

    item, click = log(n_sessions)
    batch = pages(item, click)

    def fit(n_iterations: int) -> BrowsingModel:
        model = BrowsingModel(
            max_iterations=n_iterations,
            tolerance=0.0,
            item_prior=(1.0, 1.0),
            context_prior=(1.0, 1.0),
            anchor_first=False,
            accelerate=False,
        )
        return model.fit(batch)

    early = fit(COMPARED_AFTER)
    answer = [*(early.weights[pair] for pair in PAIRS), *early.attraction(np.unique(item))]

    def step() -> Timed:
        start = time.perf_counter()
        fit(ITERATIONS)
        return Timed(seconds=(time.perf_counter() - start) / ITERATIONS, answer=answer)

    return step


def pyclick(*, n_sessions: int) -> Step:
    """`UBM.train` with `EMInference`."""
    from pyclick.click_models.Inference import EMInference
    from pyclick.click_models.UBM import UBM

    item, click = log(n_sessions)
    sessions = search_sessions(item, click)

    def step() -> Timed:
        model = UBM()
        start = time.perf_counter()
        EMInference(COMPARED_AFTER).infer_params(model, sessions)
        seconds = (time.perf_counter() - start) / COMPARED_AFTER
        attraction, examination = model.params[UBM.param_names.attr], model.params[UBM.param_names.exam]
        weights = [examination.get(*pair).value() for pair in PAIRS]
        return Timed(
            seconds=seconds,
            answer=weights + [attraction.get(code // N_POSITIONS, code).value() for code in np.unique(item).tolist()],
        )

    return step


CASES = (
    Case(
        id="3b",
        work="user browsing model by EM, 100,000 x 10, one iteration",
        ours=Contender(name="sojourn", build=sojourn, packages=("sojourn", "numpy", "scipy"), environment="sojourn"),
        peers=(
            Contender(
                name="PyClick",
                build=pyclick,
                checkout="SOJOURN_PYCLICK",
                differs="visits every impression in every iteration; CPython",
            ),
        ),
        goals=(agrees(1e-6, "PyClick"),),
        setup={"n_sessions": 100_000},
        turns=3,
        gap=largest_gap,
    ),
)
