"""From scores to probabilities, on sessions that the score was not learned from.

A plan loses by a flattened or sign-flipped slope rather than by a wrong level: so every calibrator refuses a score that
falls with the outcome, and its ``warnings`` say where the slope can hardly be told from 0 or outcomes are few.

`Platt` is a sigmoid of the score; `BetaCalibration` takes probabilities and may bend either end; `Isotonic` takes any
rising shape and needs many outcomes; `ProductPlatt` learns the hazard of single items from what became of whole pages::

    platt = Platt().fit(score, click)
    platt.line.slope, platt.line.slope_stderr, platt.warnings
    hazard = ProductPlatt().fit_pages(score, page, left).probability(new_score)
    same = calibrator_from_json(platt.to_json())
"""

from __future__ import annotations

from typing import Final

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Calibrator
from sojourn.models.calibration.beta import BetaCalibration
from sojourn.models.calibration.isotonic import Isotonic
from sojourn.models.calibration.line import Line
from sojourn.models.calibration.platt import Platt
from sojourn.models.calibration.product_platt import ProductPlatt
from sojourn.models.json_state import kind_of

__all__ = ["BetaCalibration", "Isotonic", "Line", "Platt", "ProductPlatt", "calibrator_from_json"]

_KINDS: Final = {each.__name__: each for each in (BetaCalibration, Isotonic, Platt, ProductPlatt)}


def calibrator_from_json(text: str) -> Calibrator:
    """The calibrator whose ``to_json`` wrote ``text``."""
    kind = kind_of(text)
    if kind not in _KINDS:
        raise InvalidInputError(f"expected the JSON of one of {sorted(_KINDS)}, got that of {kind!r}")
    return _KINDS[kind].from_json(text)
