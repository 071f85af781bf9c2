from __future__ import annotations

from collections.abc import Callable

import pytest
from sklearn.linear_model import LogisticRegression

from sojourn.checks import require_quit_model
from sojourn.interfaces import QuitModel
from sojourn.models import Platt, ProductPlatt
from sojourn.models.quit import (
    AnyAccepted,
    BoostedNoisyOr,
    ConstantHazard,
    MultiInstance,
    NoisyOr,
    NoMIL,
    StepHazard,
    mi_svm,
)

MODELS: dict[str, Callable[[], QuitModel]] = {
    "noisy-or": NoisyOr,
    "any accepted": AnyAccepted,
    "boosted noisy-or": lambda: BoostedNoisyOr(min_rows=20),
    "MI-SVM, Platt": lambda: mi_svm(Platt()),
    "MI-SVM, product Platt": lambda: mi_svm(ProductPlatt()),
    "multi-instance logistic": lambda: MultiInstance(LogisticRegression(), ProductPlatt()),
    "no-MIL": NoMIL,
    "no-MIL, product Platt": lambda: NoMIL(calibrator=ProductPlatt()),
    "constant": ConstantHazard,
    "step": StepHazard,
}


@pytest.mark.parametrize("name", MODELS)
def test_models_keep_the_contract(name: str) -> None:
    require_quit_model(MODELS[name])
