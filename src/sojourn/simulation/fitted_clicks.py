"""From the fitted parameters of a click model to the readers that they describe.

The models are those of Chuklin, Markov and de Rijke (2015), Click Models for Web Search, chapter 3.
"""

from __future__ import annotations

import numpy as np

from sojourn.logs.datasets.click_model_parameters import CCM, CM, DBN, DCM, PBM, UBM, ClickModelParameters
from sojourn.simulation.browsing_clicks import BrowsingClicks
from sojourn.simulation.cascade_clicks import CascadeClicks
from sojourn.simulation.page_clicks import PageClicks
from sojourn.simulation.position_clicks import PositionClicks


def page_clicks(parameters: ClickModelParameters) -> PageClicks:
    """The people that fitted parameters describe.

    In the click chain model a clicked document is relevant with probability equal to its attraction.
    """
    attraction = parameters.attraction
    square = np.ones((len(attraction), len(attraction)))
    match parameters:
        case PBM():
            return PositionClicks(attraction=attraction, examination=parameters.examination)
        case UBM():
            return BrowsingClicks(attraction=attraction, examination=parameters.examination)
        case CM():
            after_click, after_skip = 0.0 * square, square
        case DCM():
            after_click, after_skip = parameters.continuation[:, None] * square, square
        case DBN():
            perseverance = 1.0 - parameters.abandonment
            after_click, after_skip = perseverance * (1.0 - parameters.satisfaction) * square, perseverance * square
        case CCM():
            after_click = (parameters.tau2 * (1.0 - attraction) + parameters.tau3 * attraction) * square
            after_skip = parameters.tau1 * square
    return CascadeClicks(attraction=attraction, after_click=after_click, after_skip=after_skip)
