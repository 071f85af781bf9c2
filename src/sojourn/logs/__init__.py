"""Logs: reading, checking, joining and splitting them, and their arrays.

`read_log` and `Log.from_frame` check each row of a log, keep the bad ones out, and count them with file, row and
reason. `Log.to_batch` makes the arrays that everything else learns from, with the features of a `FeatureEncoder`, of a
`SessionEncoder`, which adds what the session has shown so far, or of a `FieldEncoder`, whose rows hold codes for
networks with embeddings; `rounds` and `logged_rounds` go through its requests with their candidates; `summarize` says
what a log can and cannot support.

A log has one row per slot shown::

    request_id, item_id, position (0 is the top), click                                       required
    session_id, user_id, timestamp, step, propensity, reward, seen, quit (on the last row)    where known
    x_*                                                                                       features

and may come with tables ``items`` (by ``item_id``), ``users`` (by ``user_id``) and ``requests`` (``request_id``,
``candidates``: a list of item ids). Open Bandit's names are taken as they are: ``position`` counts from 1,
``propensity_score``, ``user_feature_*``, ``user-item_affinity_*``, and each row is a request of its own.

What is kept out: values that do not parse; a required value that is missing; a click other than 0 or 1; a negative
position; a propensity outside (0, 1]; a reward that is missing or not finite; two rows for one position; positions
with a gap; an item that is not among its request's candidates; and a click on what was not shown, which is one in a
row without position or item, or with ``seen`` false. The rest of a page with such a row goes too, because a page with
a hole biases what positions say. Only a click without a position was never on the page, which then stays.
"""

from sojourn.logs.candidates import Candidates, logged_rounds, rounds
from sojourn.logs.encode import EncodedLog, Encoder
from sojourn.logs.features import FeatureEncoder
from sojourn.logs.fields import FieldEncoder
from sojourn.logs.log import Log
from sojourn.logs.problems import Problem
from sojourn.logs.read import read_log
from sojourn.logs.session import SessionEncoder, SessionFeatures, SessionView
from sojourn.logs.statistics import SurvivalPoint
from sojourn.logs.summary import LogSummary, summarize

__all__ = [
    "Candidates",
    "EncodedLog",
    "Encoder",
    "FeatureEncoder",
    "FieldEncoder",
    "Log",
    "LogSummary",
    "Problem",
    "SessionEncoder",
    "SessionFeatures",
    "SessionView",
    "SurvivalPoint",
    "logged_rounds",
    "read_log",
    "rounds",
    "summarize",
]
