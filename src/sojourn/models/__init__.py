"""What an item is worth: models of the expected reward that know their own doubt."""

from __future__ import annotations

from sojourn.models.linear import BayesianRidge

__all__ = ["BayesianRidge"]
