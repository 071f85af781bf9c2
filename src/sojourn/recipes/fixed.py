"""Baselines that learn nothing."""

from __future__ import annotations

from sojourn.policies import LoggedOrder, Uniform


def logged_order(*, n_features: int = 0, n_slots: int = 0) -> LoggedOrder:
    """The candidates in the order in which they come; learns nothing. The ranker that a log's bandit must beat."""
    return LoggedOrder()


def uniform(*, n_features: int = 0, n_slots: int = 0) -> Uniform:
    """A uniformly random slate; learns nothing. Its log can be used to value any other policy."""
    return Uniform()
