"""New videos day by day: learned from all days up to one of April, judged on the next, 26 to 30 April.

A video is new on the day on which it is first shown. (The set begins on the 25th, so on the 26th many are new to us
alone.) What is known of it then are its basic features; its id is unknown. Settings are those of
`experiments.age.kuairand`, which were chosen on the 28th.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.age.kuairand import LAST_DAY, Sizes, measures, parts
from experiments.age.kuairand_contenders import Day, present
from experiments.studies import Measures
from sojourn.records import UNKNOWN, BoolArray

SETTINGS: Final = ("26 to 30 April",)
FIRST_JUDGED: Final = 26


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Every contender that can run here, on videos new on their day and on others: ``new_auc``, ``known_auc``, ..."""
    days = [parts(sizes, day - 1, day) for day in range(FIRST_JUDGED, LAST_DAY + 1)]
    new = np.concatenate([is_new(judged) for _, judged in days])
    click = np.concatenate([judged.click for _, judged in days])
    found: Measures = {}
    for each in present():
        rate = np.concatenate([each.click_rate(learned, judged, each.settings, seed) for learned, judged in days])
        by_kind = {"new": measures(rate[new], click[new]), "known": measures(rate[~new], click[~new])}
        found[each.name] = {f"{kind}_{name}": value for kind, of in by_kind.items() for name, value in of.items()}
    return found


def is_new(judged: Day) -> BoolArray:
    """Whether each exposure is of a video that was not learned from, (n,)."""
    new: BoolArray = judged.layout.item_codes(judged.features) == UNKNOWN
    return new
