"""What an item is worth: models of the expected reward that know their own doubt.

`BayesianRidge` has one set of parameters, or an independent one per slot; in `HybridRidge` the slots share a part.

For whole sessions: click rates fitted to a log at once (``sojourn.models.click_rate``), calibrators that make
probabilities of scores (``sojourn.models.calibration``), and bags of models, which give standard errors to any.

Short codes of wide contexts come from ``sojourn.models.autoencoder`` (`DenoisingAutoencoder`), which is imported by
that name alone, since it needs the extra ``torch``.
"""

from __future__ import annotations

from sojourn.models.bagging import BaggedClickRate, BaggedQuitModel
from sojourn.models.calibration import BetaCalibration, Isotonic, Platt, ProductPlatt, calibrator_from_json
from sojourn.models.click_rate import BoostedClickRate, CalibratedClickRate, ClassifierClickRate, LogisticClickRate
from sojourn.models.hybrid import HybridRidge
from sojourn.models.linear import BayesianRidge

__all__ = [
    "BaggedClickRate",
    "BaggedQuitModel",
    "BayesianRidge",
    "BetaCalibration",
    "BoostedClickRate",
    "CalibratedClickRate",
    "ClassifierClickRate",
    "HybridRidge",
    "Isotonic",
    "LogisticClickRate",
    "Platt",
    "ProductPlatt",
    "calibrator_from_json",
]
