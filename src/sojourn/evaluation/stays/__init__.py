"""What a policy would have earned per session, on a log of whole sessions that another policy served.

A ranking is worth what people click until they leave, and who is kept for longer clicks more; so the unit is the stay,
not the page. `WeightedSessions` weighs a log choice by choice along each session, `SessionEstimator` and
`SessionDoublyRobust` value it, and their estimates subtract and divide session by session: ``new.minus(old)``,
``clicks.over(items)``. `cross_fitted_to_go` predicts what is still to come; `with_states` gives a policy that looks at
the session each page as it would have met it::

    rounds = with_states(logged_rounds, batch, policy)
    target, (prediction,) = cross_fitted_to_go(batch, rounds, policy, rng=rng)
    SessionDoublyRobust(prediction=prediction).estimate(batch, target).interval
"""

from sojourn.evaluation.stays.asking import KeepsPlan, with_states
from sojourn.evaluation.stays.estimators import SessionDoublyRobust, SessionEstimate, SessionEstimator
from sojourn.evaluation.stays.intervals import SessionInterval
from sojourn.evaluation.stays.pages import SessionPages
from sojourn.evaluation.stays.prediction import cross_fitted_to_go
from sojourn.evaluation.stays.terms import SessionTerms
from sojourn.evaluation.stays.weights import SessionWeighting, WeightedSessions

__all__ = [
    "KeepsPlan",
    "SessionDoublyRobust",
    "SessionEstimate",
    "SessionEstimator",
    "SessionInterval",
    "SessionPages",
    "SessionTerms",
    "SessionWeighting",
    "WeightedSessions",
    "cross_fitted_to_go",
    "with_states",
]
