"""What exposure is worth: one bandit under every account of what was seen, without and with a plan for the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from experiments.pseudo_exposure.knowledge import Known
from experiments.pseudo_exposure.policies import CONTESTANTS, Contestant, Make, linucb_k_sw
from sojourn import recipes
from sojourn.errors import InvalidInputError
from sojourn.interfaces import Policy
from sojourn.planning import PlannedPolicy
from sojourn.policies import SelfCorrecting, SlatePolicy, TopK
from sojourn.records import LogBatch, Rows


class SeenAlone:
    """An `ExposureCorrection` by the viewport signal: rows that were not seen teach nothing."""

    def rows(self, batch: LogBatch) -> Rows:
        """One row per shown item."""
        if batch.seen is None:
            raise InvalidInputError("batch: expected viewport signals, got none")
        shown = batch.shown
        return Rows(
            features=batch.features[shown],
            reward=batch.reward[shown],
            weight=batch.seen[shown].astype(np.float64),
            slot=batch.position[shown],
        )


def _uncorrected(known: Known, alpha: float) -> SlatePolicy:
    return recipes.linucb_k(n_features=known.n_features, n_slots=known.n_slots, alpha=alpha)


def _browsing(known: Known, alpha: float) -> SlatePolicy:
    return recipes.ubm_linucb(
        n_features=known.n_features, n_slots=known.n_slots, weights=known.browsing_weights, alpha=alpha
    )


def _going_down(known: Known, alpha: float, *, model: str) -> SlatePolicy:
    return recipes.linucb_k_scroll(
        n_features=known.n_features, n_slots=known.n_slots, click_model=getattr(known.survey, model), alpha=alpha
    )


def _viewport(known: Known, alpha: float) -> SlatePolicy:
    like = _uncorrected(known, alpha)
    return SlatePolicy(name="viewport", model=like.model, explorer=like.explorer, sampler=TopK(), exposure=SeenAlone())


def _own_log(known: Known, alpha: float) -> SlatePolicy | SelfCorrecting:
    return _survival_planned(known, alpha).policy


def _survival_planned(known: Known, alpha: float) -> PlannedPolicy:
    return recipes.survival_planned(n_features=known.n_features, n_slots=known.n_slots, alpha=alpha)


_EXPOSURE: dict[str, Callable[[Known, float], SlatePolicy]] = {
    "none": _uncorrected,
    "PBM": linucb_k_sw,
    "UBM": _browsing,
    "DBN": lambda known, alpha: _going_down(known, alpha, model="dbn"),
    "survival": lambda known, alpha: _going_down(known, alpha, model="survival_model"),
    "viewport": _viewport,
}


def _tuned_as(exposure: str) -> str:
    return {"none": "linucb_k", "UBM": "ubm_linucb"}.get(exposure, "linucb_k_sw")


def _planned(exposure: str) -> Make:
    def made(known: Known, alpha: float) -> Policy:
        return PlannedPolicy(policy=_EXPOSURE[exposure](known, alpha), hazard=known.survey.survival_model)

    return made


def _all_known(known: Known, alpha: float) -> Policy:
    hazard = known.place.hazard or (lambda features: np.zeros(len(features)))
    return PlannedPolicy(policy=_viewport(known, alpha), hazard=hazard)


WORTH: Final[dict[str, Contestant]] = {
    "logged_order": CONTESTANTS["logged_order"],
    **{name: Contestant(make=make, tuned_as=_tuned_as(name)) for name, make in _EXPOSURE.items()},
    "survival, own log": Contestant(make=_own_log, tuned_as="linucb_k_sw"),
    **{f"{name} + plan": Contestant(make=_planned(name), tuned_as=_tuned_as(name)) for name in _EXPOSURE},
    "survival, own log + plan": Contestant(make=_survival_planned, tuned_as="linucb_k_sw"),
    "oracle: viewport + true plan": Contestant(make=_all_known, tuned_as="linucb_k_sw"),
    "oracle: most attractive": CONTESTANTS["oracle: most attractive"],
    "oracle: best slate": CONTESTANTS["oracle: best slate"],
}
"""The contestants of `worth`, by what they take for seen; in the plans hazards are learned from the random pages."""
