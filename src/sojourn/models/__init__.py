"""What an item is worth: models of the expected reward that know their own doubt.

`BayesianRidge` has one set of parameters, or an independent one per slot; in `HybridRidge` the slots share a part.

For whole sessions: click rates fitted to a log at once (``sojourn.models.click_rate``), what makes people leave
(``sojourn.models.quit``), calibrators that make probabilities of scores (``sojourn.models.calibration``), and bags of
models, which give standard errors to any.

Short codes of wide contexts come from ``sojourn.models.autoencoder`` (`DenoisingAutoencoder`), which is imported by
that name alone, since it needs the extra ``torch``.
"""

from __future__ import annotations

from sojourn.models.calibration import BetaCalibration, Isotonic, Platt, ProductPlatt, calibrator_from_json
from sojourn.models.click_rate import BoostedClickRate, CalibratedClickRate, ClassifierClickRate, LogisticClickRate
from sojourn.models.half_sampling import HalfSampledClickRate, HalfSampledQuitModel
from sojourn.models.hybrid import HybridRidge
from sojourn.models.linear import BayesianRidge
from sojourn.models.quit import (
    AnyAccepted,
    BoostedNoisyOr,
    ClassifierHazard,
    ConstantHazard,
    MultiInstance,
    NoisyOr,
    NoMIL,
    QuitChoice,
    StepHazard,
    choose_quit_model,
    mi_svm,
    page_log_loss,
)

__all__ = [
    "AnyAccepted",
    "BayesianRidge",
    "BetaCalibration",
    "BoostedClickRate",
    "BoostedNoisyOr",
    "CalibratedClickRate",
    "ClassifierClickRate",
    "ClassifierHazard",
    "ConstantHazard",
    "HalfSampledClickRate",
    "HalfSampledQuitModel",
    "HybridRidge",
    "Isotonic",
    "LogisticClickRate",
    "MultiInstance",
    "NoMIL",
    "NoisyOr",
    "Platt",
    "ProductPlatt",
    "QuitChoice",
    "StepHazard",
    "calibrator_from_json",
    "choose_quit_model",
    "mi_svm",
    "page_log_loss",
]
