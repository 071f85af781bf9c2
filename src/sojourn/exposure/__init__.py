"""What was seen: click models that tell examination from attraction, and training rows corrected for it.

A `ClickModel` is fitted on a log, its `FitReport` says what the weights can carry, `compare` judges models on
held-out pages, and an exposure correction hands a reward model the rows to learn from::

    pbm = PositionBasedModel().fit(log)
    pbm.weights, pbm.report.standard_errors, pbm.report.warnings
    rows = DesignScaling(pbm).rows(log)
"""

from sojourn.exposure.baselines import DocumentCTR, RankCTR
from sojourn.exposure.comparison import HeldOut, Perplexity, compare, perplexity
from sojourn.exposure.correction import DesignScaling, NoCorrection, RowWeighting
from sojourn.exposure.counts import ClickCounts
from sojourn.exposure.fit_report import FitReport
from sojourn.exposure.position_based import PositionBasedModel

__all__ = [
    "ClickCounts",
    "DesignScaling",
    "DocumentCTR",
    "FitReport",
    "HeldOut",
    "NoCorrection",
    "Perplexity",
    "PositionBasedModel",
    "RankCTR",
    "RowWeighting",
    "compare",
    "perplexity",
]
