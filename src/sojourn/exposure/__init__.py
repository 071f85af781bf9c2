"""What was seen: click models that tell examination from attraction, and training rows corrected for it.

A `ClickModel` is fitted on a log, its `FitReport` says what the weights can carry, `compare` judges models on
held-out pages, `neighbour_effect` tells position bias from similarity, and an exposure correction hands a reward model
the rows to learn from::

    pbm = PositionBasedModel().fit(log)
    pbm.weights, pbm.report.standard_errors, pbm.report.warnings
    rows = DesignScaling(pbm).rows(log)
"""

from sojourn.exposure.baselines import DocumentCTR, RankCTR
from sojourn.exposure.browsing import BrowsingModel
from sojourn.exposure.comparison import HeldOut, Perplexity, compare, perplexity
from sojourn.exposure.correction import DesignScaling, NoCorrection, RowWeighting
from sojourn.exposure.counts import ClickCounts
from sojourn.exposure.fit_report import FitReport
from sojourn.exposure.logistic import LogisticFit, logistic_regression
from sojourn.exposure.neighbours import NeighbourEffect, neighbour_effect
from sojourn.exposure.position_based import PositionBasedModel
from sojourn.exposure.regression import RegressionEM
from sojourn.exposure.survival import (
    SurvivalModel,
    SurvivalReport,
    cascade,
    dbn,
    dcm,
    item_hazard,
    scroll_depth,
    simplified_dbn,
)

__all__ = [
    "BrowsingModel",
    "ClickCounts",
    "DesignScaling",
    "DocumentCTR",
    "FitReport",
    "HeldOut",
    "LogisticFit",
    "NeighbourEffect",
    "NoCorrection",
    "Perplexity",
    "PositionBasedModel",
    "RankCTR",
    "RegressionEM",
    "RowWeighting",
    "SurvivalModel",
    "SurvivalReport",
    "cascade",
    "compare",
    "dbn",
    "dcm",
    "item_hazard",
    "logistic_regression",
    "neighbour_effect",
    "perplexity",
    "scroll_depth",
    "simplified_dbn",
]
