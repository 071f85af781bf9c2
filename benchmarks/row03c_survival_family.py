"""The survival family by L-BFGS: DBN and DCM on 100,000 sessions of 10 positions, and a pass over 1M pages of 12.

A pass is one evaluation of the likelihood and its gradient, which does for L-BFGS what an iteration does for EM. DBN's
figure is the whole time of a fit, spread over its passes; that of the 1M pages is the pass alone, without what a fit
does once. The sessions are those of row 3.
"""

# mypy: disable-error-code="import-not-found, import-untyped"
# (the peers live in an environment of their own)

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.contest import Case, Contender, Step, Timed, at_most
from benchmarks.row03_position_based_model import log, pages, search_sessions

if TYPE_CHECKING:
    from sojourn.exposure.survival import SurvivalModel

PASSES = 20
TIMED_SESSIONS = 2_000  # PyClick's DBN takes minutes for an iteration over all
LARGE_ITEMS = 10_000


def _a_pass(model: SurvivalModel, fit: Callable[[], object]) -> Timed:
    start = time.perf_counter()
    fit()
    return Timed(seconds=(time.perf_counter() - start) / model.report.passes)


def dbn(*, n_sessions: int) -> Step:
    """`sojourn.exposure.survival.dbn`."""
    from sojourn.exposure.survival import dbn

    batch = pages(*log(n_sessions))
    model = dbn(tolerance=0.0, max_passes=PASSES)
    return lambda: _a_pass(model, lambda: model.fit(batch))


def pyclick_dbn(*, n_sessions: int) -> Step:
    """`DBN.train` with `EMInference`, timed on some of the sessions and scaled to all."""
    from pyclick.click_models.DBN import DBN
    from pyclick.click_models.Inference import EMInference

    sessions = search_sessions(*log(n_sessions))

    def step() -> Timed:
        start = time.perf_counter()
        EMInference(1).infer_params(DBN(), sessions[:TIMED_SESSIONS])
        return Timed(seconds=(time.perf_counter() - start) * len(sessions) / TIMED_SESSIONS)

    return step


def dcm(*, n_sessions: int) -> Step:
    """`sojourn.exposure.survival.dcm`, the whole fit."""
    from sojourn.exposure.survival import dcm

    batch = pages(*log(n_sessions))
    return lambda: dcm().fit(batch).report.passes


def pyclick_dcm(*, n_sessions: int) -> Step:
    """`DCM.train`, the whole fit."""
    from pyclick.click_models.DCM import DCM

    sessions = search_sessions(*log(n_sessions))
    return lambda: DCM().train(sessions)


def item_hazard(*, n_pages: int, n_slots: int) -> Step:
    """The kernel with the hazard's terms of `sojourn.exposure.survival.item_hazard`."""
    from sojourn.exposure.survival.fitted import Fitted
    from sojourn.exposure.survival.pages import Pages
    from sojourn.exposure.survival.structure import Structure

    log = Pages.of(pages(*_large_log(n_pages, n_slots)), with_features=False)
    structure = Structure(
        attraction="item",
        hazard=frozenset({"x", "click", "click*x", "step"}),
        leaves="anywhere",
        kappa=False,
        page_effect=False,
    )
    model = Fitted.before(structure, log)
    objective = model.objective(log, model.described(log))
    return lambda: objective(model.vector)[0]


def look_up_and_sum(*, n_pages: int, n_slots: int) -> Step:
    """What no pass can do without: for attraction and hazard, a number for each slot's item, and a sum back."""
    item, _ = _large_log(n_pages, n_slots)
    table = np.ones(LARGE_ITEMS)
    slots = item.ravel()

    def step() -> None:
        for _ in range(2):
            np.bincount(slots, weights=table.take(slots), minlength=LARGE_ITEMS)

    return step


def _large_log(n_pages: int, n_slots: int) -> tuple[np.ndarray, np.ndarray]:
    """Items, drawn evenly, and clicks; (n, k)."""
    rng = np.random.default_rng(0)
    item = rng.integers(LARGE_ITEMS, size=(n_pages, n_slots))
    attraction = rng.beta(1.0, 9.0, size=LARGE_ITEMS)
    return item, rng.random(item.shape) < attraction[item] * 0.9 ** np.arange(n_slots)


_PACKAGES = ("sojourn", "numpy", "scipy")
CASES = (
    Case(
        id="3c",
        work="DBN, 100,000 x 10, one pass of L-BFGS",
        ours=Contender(name="sojourn", build=dbn, packages=_PACKAGES, environment="sojourn"),
        peers=(
            Contender(
                name="PyClick",
                build=pyclick_dbn,
                checkout="SOJOURN_PYCLICK",
                differs=f"an EM iteration, timed on {TIMED_SESSIONS:,} of the sessions and scaled to all; CPython",
            ),
        ),
        goals=(),
        setup={"n_sessions": 100_000},
        turns=3,
    ),
    Case(
        id="3d",
        work="DCM, 100,000 x 10, the whole fit",
        ours=Contender(name="sojourn", build=dcm, packages=_PACKAGES, environment="sojourn"),
        peers=(
            Contender(
                name="PyClick",
                build=pyclick_dcm,
                checkout="SOJOURN_PYCLICK",
                differs="an easier job: it counts once, as if the last click had always satisfied; CPython",
            ),
        ),
        goals=(),
        setup={"n_sessions": 100_000},
        turns=3,
    ),
    Case(
        id="3e",
        work="survival model with item hazards, 1M pages x 12, one pass",
        ours=Contender(name="sojourn", build=item_hazard, packages=_PACKAGES, environment="sojourn"),
        peers=(
            Contender(
                name="look up and sum",
                build=look_up_and_sum,
                packages=("numpy",),
                environment="sojourn",
                differs="the floor: a number for each slot's item and a sum back, for attraction and hazard",
            ),
        ),
        goals=(at_most(0.6, "0.6 s"),),
        setup={"n_pages": 1_000_000, "n_slots": 12},
        turns=3,
    ),
)
