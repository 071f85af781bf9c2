"""Who competes: the click models of Sojourn, and PyClick's in their own environment."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from benchmarks.measure import ROOT, AbsentError, Pythons

from experiments.click_models.pages import Split, SplitName
from sojourn.exposure import BrowsingModel, DocumentCTR, PositionBasedModel, RankCTR
from sojourn.exposure.survival import SurvivalModel, cascade, dbn, dcm, item_hazard, scroll_depth, simplified_dbn
from sojourn.interfaces import ClickModel
from sojourn.records import FloatArray

BASELINE = "user browsing (UBM)"
PYCLICK = {"PBM": 50, "UBM": 50, "DCM": 1, "SDBN": 1, "DBN": 20}
"""Its models and their iterations: PyClick's default, less for DBN, which is slow; DCM and SDBN are counted at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """What a model makes of the pages that were held out.

    Parameters
    ----------
    log_likelihood : (m,) float
        Natural logarithm of the probability of each page's clicks.
    click_probability : (m, k) float
        P(click) before any click of the page is known.
    seconds
        Processor time of the fit, which a busy machine changes less than the clock's.
    n_parameters
    z
        The detector of broken assumptions, where the model has one.
    """

    log_likelihood: FloatArray
    click_probability: FloatArray
    seconds: float
    n_parameters: int | None
    z: float | None = None


Tell = Callable[[int, int], None]
"""Called with (iterations done, iterations in all)."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A model that can be fitted on a split; ``slow`` ones only run on the first."""

    name: str
    library: Literal["Sojourn", "PyClick"]
    fit: Callable[[Split, Tell], Fitted]
    slow: bool = False

    def runs_on(self, split: SplitName) -> bool:
        """False where a run would take longer than its figure is worth."""
        return split == "by query" or not self.slow


def models() -> dict[str, ClickModel]:
    """Sojourn's: the baselines, those with examination by context, and the survival family."""
    return {
        "click rate by rank": RankCTR(),
        "click rate by document": DocumentCTR(),
        "position-based (PBM)": PositionBasedModel(),
        "PBM, PyClick's settings": PositionBasedModel(
            max_iterations=50,
            tolerance=0.0,
            item_prior=(1.0, 1.0),
            position_prior=(1.0, 1.0),
            anchor_first=False,
            accelerate=False,
        ),
        BASELINE: BrowsingModel(),
        "UBM, PyClick's settings": BrowsingModel(
            max_iterations=50,
            tolerance=0.0,
            item_prior=(1.0, 1.0),
            context_prior=(1.0, 1.0),
            anchor_first=False,
            accelerate=False,
        ),
        "cascade": cascade(),
        "DCM": dcm(),
        "DCM, page effect": dcm(page_effect=True),
        "simplified DBN": simplified_dbn(),
        "simplified DBN, page effect": simplified_dbn(page_effect=True),
        "DBN": dbn(),
        "DBN, page effect": dbn(page_effect=True),
        "scroll depth": scroll_depth(),
        "scroll depth, page effect": scroll_depth(page_effect=True),
        "hazard by rank + document": SurvivalModel(hazard=("x", "step")),
        "hazard by click x document": SurvivalModel(hazard=("x", "click", "click*x")),
        "hazard by click x document, page effect": SurvivalModel(hazard=("x", "click", "click*x"), page_effect=True),
        "item hazard": item_hazard(),
        "item hazard, kappa": item_hazard(kappa=True),
        "item hazard, page effect": item_hazard(page_effect=True),
        "item hazard, page effect, kappa": item_hazard(page_effect=True, kappa=True),
    }


def ours() -> list[Contender]:
    """All of `models`."""
    return [Contender(name=name, library="Sojourn", fit=_fit_ours(model)) for name, model in models().items()]


def _fit_ours(model: ClickModel) -> Callable[[Split, Tell], Fitted]:
    def fit(split: Split, tell: Tell) -> Fitted:
        known, held_out = split.known, split.held_out
        start = time.process_time()
        model.fit(known)
        seconds = time.process_time() - start
        return Fitted(
            log_likelihood=model.log_likelihood(held_out),
            click_probability=model.click_probability(held_out),
            seconds=seconds,
            n_parameters=getattr(model, "n_parameters", None),
            z=model.report.z if isinstance(model, SurvivalModel) else None,
        )

    return fit


def pyclick(iterations: int | None = None) -> list[Contender]:
    """PyClick's, with their own number of iterations unless one is given.

    Raises
    ------
    AbsentError
        If PyClick is not here.
    """
    if not os.environ.get("SOJOURN_PYCLICK"):
        raise AbsentError("set SOJOURN_PYCLICK to the path of a checkout of github.com/markovi/PyClick")
    if not Pythons.peers.exists():
        raise AbsentError("no environment of peers; make bench-peers builds it")
    return [
        Contender(name=name, library="PyClick", fit=_fit_pyclick(name, iterations or usual), slow=name == "DBN")
        for name, usual in PYCLICK.items()
    ]


def _fit_pyclick(name: str, iterations: int) -> Callable[[Split, Tell], Fitted]:
    def fit(split: Split, tell: Tell) -> Fitted:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "pages.npz", Path(folder) / "fitted.npz"
            batch = split.pages.batch
            np.savez(source, query=split.pages.query, item=batch.item, click=batch.click, train=split.train)
            _run(["experiments.click_models.pyclick_worker", name, str(iterations), str(source), str(target)], tell)
            with np.load(target) as found:
                return Fitted(
                    log_likelihood=found["log_likelihood"],
                    click_probability=found["click_probability"],
                    seconds=float(found["seconds"]),
                    n_parameters=int(found["n_parameters"]),
                )

    return fit


def _run(module_and_arguments: list[str], tell: Tell) -> None:
    """Run a module in the peers' environment; each line that it prints is an iteration begun."""
    command = [str(Pythons.peers), "-W", "ignore", "-m", *module_and_arguments]
    environment = {**os.environ, "PYTHONPATH": os.environ["SOJOURN_PYCLICK"]}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        total = int(module_and_arguments[2])
        for begun, _ in enumerate(process.stdout):
            tell(begun, total)
    if process.returncode:
        raise RuntimeError(f"PyClick's {module_and_arguments[1]} stopped with exit status {process.returncode}")
