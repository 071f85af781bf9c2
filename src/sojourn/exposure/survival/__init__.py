"""One survival model for exposure and quitting: what was not seen was not seen because the reader had left before.

`SurvivalModel` puts together the terms of a hazard; the functions name the members that have a name::

    model = item_hazard(page_effect=True).fit(log, held_out=later)
    model.report.z, model.report.warnings
    model.posterior_examination(log), model.hazard(log)
"""

from sojourn.exposure.survival.family import cascade, dbn, dcm, item_hazard, scroll_depth, simplified_dbn
from sojourn.exposure.survival.model import SurvivalModel
from sojourn.exposure.survival.report import SurvivalReport

__all__ = [
    "SurvivalModel",
    "SurvivalReport",
    "cascade",
    "dbn",
    "dcm",
    "item_hazard",
    "scroll_depth",
    "simplified_dbn",
]
