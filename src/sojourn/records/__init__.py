"""What passes between the stages: frozen records of arrays, checked once, where they are made.

The axes, everywhere in Sojourn::

    n  rounds (requests)      m  candidates of a request     k  slots of a slate
    d  features of a row      r  training rows               s  models in a stack, one per slot
    t  steps of a session                  e  entries of an embedding

Arrays are batch first and inputs are never changed. A slot that holds no item (a page shorter than the widest one)
has ``item == -1``; what its other fields hold is ignored.
"""

from __future__ import annotations

from sojourn.records.arrays import BoolArray, FloatArray, IntArray
from sojourn.records.estimate import Estimate, IntervalMethod
from sojourn.records.fields import UNKNOWN, Categorical, Field, FieldLayout, MultiHot, Numeric
from sojourn.records.log_batch import NO_ITEM, LogBatch
from sojourn.records.look import Look
from sojourn.records.plan import Plan, SessionMDP, survival_of, value_of
from sojourn.records.round import Decision, Feedback, Request
from sojourn.records.rows import Rows
from sojourn.records.session import SessionState

__all__ = [
    "NO_ITEM",
    "UNKNOWN",
    "BoolArray",
    "Categorical",
    "Decision",
    "Estimate",
    "Feedback",
    "Field",
    "FieldLayout",
    "FloatArray",
    "IntArray",
    "IntervalMethod",
    "LogBatch",
    "Look",
    "MultiHot",
    "Numeric",
    "Plan",
    "Request",
    "Rows",
    "SessionMDP",
    "SessionState",
    "survival_of",
    "value_of",
]
