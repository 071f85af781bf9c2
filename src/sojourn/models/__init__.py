"""What an item is worth, and whether it makes people leave: models that know their own doubt.

*Learning round by round*, as a bandit does: `BayesianRidge` has one set of parameters, or an independent one per slot;
in `HybridRidge` the slots share a part. `ItemLogistic` is logistic, with an effect for each item.

*Fitted to a log at once*, to plan whole sessions by:

- The click rate of a seen item (``sojourn.models.click_rate``). Take `LogisticClickRate`, or `BoostedClickRate` where
  clicks bend; `ClassifierClickRate` for a classifier of your own, inside `CalibratedClickRate` unless its probabilities
  hold.
- The hazard that a seen item makes the person leave (``sojourn.models.quit``). Let `choose_quit_model` decide between
  `NoisyOr` and `AnyAccepted`, two ways to leave a page; `BoostedNoisyOr` where hazards bend; `ClassifierHazard` for
  pages of one item. `mi_svm`, `MultiInstance` and `NoMIL` are the paper's way; give them `ProductPlatt`.
  `ConstantHazard` and `StepHazard` are what to beat. Without session ends in the log: `sojourn.exposure.item_hazard`.
- From scores to probabilities (``sojourn.models.calibration``). Take `Platt`; `BetaCalibration` where the ends bend;
  `Isotonic` for any rising shape, given many outcomes; `ProductPlatt` for hazards, learned from whole pages.
- Standard errors for models without them: `HalfSampledClickRate` and `HalfSampledQuitModel`. The linear models have
  their own.

*Codes of wide contexts*: ``sojourn.models.autoencoder`` (`DenoisingAutoencoder`) is imported by that name alone, since
it needs the extra ``torch``. Nothing else here needs more than NumPy and SciPy until a model asks for it.
"""

from __future__ import annotations

from sojourn.models.boosting import Boosting
from sojourn.models.calibration import BetaCalibration, Isotonic, Platt, ProductPlatt, calibrator_from_json
from sojourn.models.click_rate import BoostedClickRate, CalibratedClickRate, ClassifierClickRate, LogisticClickRate
from sojourn.models.half_sampling import HalfSampledClickRate, HalfSampledQuitModel
from sojourn.models.hybrid import HybridRidge
from sojourn.models.item_logistic import ItemLogistic
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
    "Boosting",
    "CalibratedClickRate",
    "ClassifierClickRate",
    "ClassifierHazard",
    "ConstantHazard",
    "HalfSampledClickRate",
    "HalfSampledQuitModel",
    "HybridRidge",
    "Isotonic",
    "ItemLogistic",
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
