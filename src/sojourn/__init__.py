"""Sojourn decides what a feed shows next, and learns from what people really saw.

The way through the house::

    logs -> exposure -> models -> exploration -> policies      with evaluation and simulation beside them

`records` says what passes between the stages, `interfaces` what a stage must do, `recipes` names the algorithms of the
literature. Importing `sojourn` loads NumPy and nothing heavier; each stage is imported where it is used.
"""

from __future__ import annotations

from sojourn.records import Decision, Estimate, Feedback, LogBatch, Request, Rows

__version__ = "0.1.0"
__all__ = ["Decision", "Estimate", "Feedback", "LogBatch", "Request", "Rows", "__version__"]
