"""The members of the survival family that have names; each is a choice of hazard terms and nothing else."""

from __future__ import annotations

from typing import TypedDict, Unpack

from sojourn.exposure.survival.model import SurvivalModel
from sojourn.exposure.survival.structure import Description, HazardTerm


class Options(TypedDict, total=False):
    """What every member takes beside its own: see `SurvivalModel`."""

    attraction: Description
    kappa: bool
    page_effect: bool
    went_on: bool
    seen: bool
    ridge: float
    tolerance: float
    max_passes: int
    warm_start: bool


def cascade(**options: Unpack[Options]) -> SurvivalModel:
    """Down to the first click and away (Craswell et al. 2008).

    It rules out a page with two clicks: the log-likelihood of one is -inf, and the fit reads each page down to its
    first click.
    """
    return SurvivalModel(hazard=(), leaves="at_click", **options)


def dcm(**options: Unpack[Options]) -> SurvivalModel:
    """The dependent click model (Guo, Liu and Wang 2009): a click ends the reading with a chance that its rank sets.

    Their lambda of a rank is 1 - q after a click there; nobody leaves without a click.
    """
    return SurvivalModel(hazard=("step",), leaves="after_click", **options)


def simplified_dbn(**options: Unpack[Options]) -> SurvivalModel:
    """The simplified dynamic Bayesian network (Chapelle and Zhang 2009): a click ends the reading if it satisfies.

    Their satisfaction of an item is q after a click on it, their perseverance 1: nobody leaves without a click.
    """
    return SurvivalModel(hazard=("x",), leaves="after_click", **options)


def dbn(**options: Unpack[Options]) -> SurvivalModel:
    """The dynamic Bayesian network (Chapelle and Zhang 2009): readers also tire, all alike, on every slot.

    With their perseverance gamma and satisfaction s of the item, q is 1 - gamma without a click and
    1 - gamma (1 - s) with one. Here q with a click is free, so that a click may hold readers too.
    """
    return SurvivalModel(hazard=("click", "click*x"), **options)


def scroll_depth(*, per_session: bool = False, **options: Unpack[Options]) -> SurvivalModel:
    """How far readers scroll, whatever is shown and clicked: one free hazard for each position.

    Parameters
    ----------
    per_session
        Let each session (`LogBatch.session`) have a level of its own, shrunk towards that of all.
    **options
        Those of `SurvivalModel`.
    """
    terms: tuple[HazardTerm, ...] = ("step", "session") if per_session else ("step",)
    return SurvivalModel(hazard=terms, **options)


def item_hazard(**options: Unpack[Options]) -> SurvivalModel:
    """Each item has its hazard, with a click and without, on top of that of the position.

    What drives people away is learned from clicks alone, which is what a planner needs to know.
    """
    return SurvivalModel(hazard=("x", "click", "click*x", "step"), **options)
