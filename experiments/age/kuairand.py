"""Clicks on short videos: learned from 25 to 28 April, predicted on the 29th and 30th.

The fields are the basic features of users and videos, their ids and the part of the app; `FieldEncoder` learns the
codes from the days that are learned from, and every contender gets the same. Settings were chosen by learning from 25
to 27 April and judging on the 28th, see `experiments.age.kuairand_tuning`; with them each learns again from all four
days. The file's first hour, 23 to 24 o'clock of 24 April, goes with the 25th.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import polars as pl

from experiments.age.kuairand_contenders import Day, present
from experiments.data import required_folder
from experiments.studies import Measures
from sojourn.evaluation import auc, log_loss, pcoc
from sojourn.logs import FieldEncoder, Log
from sojourn.logs.datasets import kuairand
from sojourn.records import FloatArray

SETTINGS: Final = ("29 and 30 April",)
FIRST_DAY, LAST_DAY = 24, 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How much of everything: the exposures of one user in so many."""

    one_user_in: int = 1


FULL: Final = Sizes()
SMALL: Final = Sizes(one_user_in=20)


@cache
def load(sizes: Sizes) -> Log:
    """The exposures, of some users if sizes are small."""
    log = kuairand.load(required_folder("kuairand"))
    some = pl.col("user_id").cast(pl.Int64) % sizes.one_user_in == 0
    return replace(log, slots=log.slots.filter(some), problems=())


def days(log: Log, first: int, last: int) -> Log:
    """The exposures from the first to the last of these days of April, midnight being that of UTC+8."""
    day = pl.col("timestamp").dt.offset_by("8h").dt.day()
    return replace(log, slots=log.slots.filter(day.is_between(first, last)), problems=())


@cache
def parts(sizes: Sizes, last_learned: int, last_judged: int) -> tuple[Day, Day]:
    """What is learned from, the days up to one of April, and what is judged on, those after it, in the same fields."""
    log = load(sizes)
    learned, judged = days(log, FIRST_DAY, last_learned), days(log, last_learned + 1, last_judged)
    encoder = FieldEncoder.fit(learned, user_id=True, several=("x_tag",), n_bins=16, min_count=1)
    layout = encoder.layout
    return (
        Day(layout=layout, batch=learned.to_batch(encoder).batch),
        Day(layout=layout, batch=judged.to_batch(encoder).batch),
    )


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Every contender that can run here on the last two days."""
    learned, judged = parts(sizes, 28, LAST_DAY)
    rates = {each.name: each.click_rate(learned, judged, each.settings, seed) for each in present()}
    return {name: {**measures(rate, judged.click)} for name, rate in rates.items()}


def measures(rate: FloatArray, click: FloatArray) -> dict[str, float]:
    """How well click rates (n,) tell clicks (n,) apart, how well they fit, and whether they are too high or too low."""
    return {
        "auc": auc(rate, click),
        "log_loss": log_loss(rate, click),
        "pcoc": pcoc(rate, click),
        "n": float(len(click)),
    }
