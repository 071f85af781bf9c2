"""Fits as text."""

from __future__ import annotations

import numpy as np

from sojourn.models.json_state import read, written
from sojourn.models.quit.any_item import AnyItemFit

_NAMES = ("coefficients", "intercept", "covariance", "n_steps", "converged")


def fit_to_json(fit: AnyItemFit, kind: str) -> str:
    """The fit of a model of ``kind``."""
    state = {name: getattr(fit, name) for name in _NAMES}
    arrays = {"coefficients": fit.coefficients.tolist(), "covariance": fit.covariance.tolist()}
    return written(kind, state | arrays)


def fit_from_json(text: str, kind: str) -> AnyItemFit:
    """The fit that `fit_to_json` wrote."""
    state = read(text, kind, _NAMES)
    arrays = {name: np.array(state[name]) for name in ("coefficients", "covariance")}
    return AnyItemFit(**state | arrays)
