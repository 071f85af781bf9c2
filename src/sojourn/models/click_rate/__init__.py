"""How likely a seen item is clicked: the reward of a session's steps.

`LogisticClickRate` knows its own standard errors, `BoostedClickRate` bends where clicks do, `ClassifierClickRate` takes
any classifier of scikit-learn. Row weights from `sojourn.exposure.RowWeighting` make it P(click | seen); without them
every shown item counts as seen, and it is P(click | shown)::

    rates = LogisticClickRate(exposure=RowWeighting(click_model)).fit(log)
    rates.click_rate_of(features), rates.click_rate_std_of(features)
    rates = CalibratedClickRate(BoostedClickRate(), Platt()).fit(log)

`sojourn.models.HalfSampledClickRate` gives standard errors to those without.
"""

from __future__ import annotations

from sojourn.models.click_rate.boosted import BoostedClickRate
from sojourn.models.click_rate.calibrated import CalibratedClickRate
from sojourn.models.click_rate.classifier import ClassifierClickRate
from sojourn.models.click_rate.logistic import LogisticClickRate

__all__ = ["BoostedClickRate", "CalibratedClickRate", "ClassifierClickRate", "LogisticClickRate"]
