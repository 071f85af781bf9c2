"""How likely an item makes a person leave, learned from the pages after which people left.

What becomes of a page as its items act together:

- `NoisyOr`: each item may make the person leave. Linear, with standard errors; `BoostedNoisyOr` bends.
- `AnyAccepted`: the person goes on if one item is accepted. Then plan pages, not items.

Both are fitted to the likelihood of pages. The others learn a score of items and calibrate it: `mi_svm`, the paper's,
and `MultiInstance` over any classifier; `NoMIL`, which blames every item for its page. `ClassifierHazard` is for pages
of one item; `ConstantHazard` and `StepHazard` are what to beat. Let held-out pages choose::

    choice = choose_quit_model({"noisy-or": NoisyOr(), "any accepted": AnyAccepted()}, train, held_out)
    choice.name, choice.log_loss, choice.model.hazard_of(features)

Logs without session ends: `sojourn.exposure.item_hazard` learns hazards from clicks alone.
"""

from __future__ import annotations

from sojourn.models.any_item import AnyItemFit
from sojourn.models.quit.any_accepted import AnyAccepted
from sojourn.models.quit.baselines import ConstantHazard, StepHazard
from sojourn.models.quit.boosted_noisy_or import BoostedNoisyOr
from sojourn.models.quit.calibrated_hazard import PageCalibrator
from sojourn.models.quit.choice import QuitChoice, choose_quit_model, page_log_loss, page_losses
from sojourn.models.quit.classifier_hazard import ClassifierHazard
from sojourn.models.quit.multi_instance import MultiInstance, mi_svm
from sojourn.models.quit.no_mil import NoMIL
from sojourn.models.quit.noisy_or import NoisyOr
from sojourn.models.quit.pages import PageOutcomes

__all__ = [
    "AnyAccepted",
    "AnyItemFit",
    "BoostedNoisyOr",
    "ClassifierHazard",
    "ConstantHazard",
    "MultiInstance",
    "NoMIL",
    "NoisyOr",
    "PageCalibrator",
    "PageOutcomes",
    "QuitChoice",
    "StepHazard",
    "choose_quit_model",
    "mi_svm",
    "page_log_loss",
    "page_losses",
]
