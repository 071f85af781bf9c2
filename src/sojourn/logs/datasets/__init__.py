"""Public data sets: one small module each, read from the files as their owners give them away.

Most read into a `sojourn.logs.log.Log`: ``open_bandit.load()`` needs only the sample that pip installs, ``yandex``,
``eshop`` and ``kuairand`` a file of yours, ``yahoo.blocks`` streams days of millions. ``upworthy`` gives counts per
arm, ``click_model_parameters`` the known truth of a simulator, ``movielens`` ratings for tastes. `DATASETS` says what
each holds and where to get it; a set that does not record a quantity (what was seen, how likely a choice was, when
people left) does not get one here.
"""

from sojourn.logs.datasets import (
    click_model_parameters,
    eshop,
    kuairand,
    movielens,
    open_bandit,
    upworthy,
    yahoo,
    yandex,
)
from sojourn.logs.datasets.card import DatasetCard

DATASETS: tuple[DatasetCard, ...] = (
    open_bandit.CARD,
    yandex.CARD,
    eshop.CARD,
    kuairand.CARD,
    upworthy.CARD,
    yahoo.CARD,
    movielens.CARD,
    click_model_parameters.CARD,
)
"""What ``sojourn datasets`` prints."""

__all__ = [
    "DATASETS",
    "DatasetCard",
    "click_model_parameters",
    "eshop",
    "kuairand",
    "movielens",
    "open_bandit",
    "upworthy",
    "yahoo",
    "yandex",
]
