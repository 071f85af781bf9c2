"""The contract of `sojourn.interfaces.FeatureMap`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import Check, CheckResult, expect, expect_close, require, run_checks
from sojourn.checks.small_worlds import N_FEATURES, N_ITEMS, N_SLOTS, all_slates, draw_features
from sojourn.interfaces import FeatureMap
from sojourn.records import FloatArray

MakeFeatureMap = Callable[[], FeatureMap]

FEATURES: Final = draw_features(generator(91), N_ITEMS) - np.array([0.0, 0.5, 0.5])
"""Of candidates that point in different directions, (N_ITEMS, N_FEATURES)."""
FEATURES.flags.writeable = False
SLATES: Final = all_slates(N_ITEMS, N_SLOTS)
BEGINNINGS: Final = tuple(slate[:slot] for slate in SLATES[::7] for slot in range(N_SLOTS))
"""Rows placed above slots 0, 1 and 2, on different slates in turn."""


def keeps_the_protocol(make: MakeFeatureMap) -> None:
    """The map has the methods of FeatureMap, and n_features is a number of columns."""
    feature_map = make()
    expect(
        isinstance(feature_map, FeatureMap),
        expected="the methods of sojourn.interfaces.FeatureMap",
        came=type(feature_map).__name__,
        advice="write the missing ones",
    )
    for d in (1, N_FEATURES):
        came = feature_map.n_features(d)
        advice = "give the width of a mapped row"
        expect(isinstance(came, int) and came >= 1, expected="an int >= 1 from n_features", came=came, advice=advice)


def rows_are_as_wide_as_promised(make: MakeFeatureMap) -> None:
    """Mapped rows have n_features(d) finite numbers, for any number of candidates, pages and slots."""
    feature_map, rng = make(), generator(92)
    for n_candidates in (N_SLOTS, 1, N_ITEMS):
        mapped = feature_map.at_slot(draw_features(rng, n_candidates))
        for slot in range(min(n_candidates, N_SLOTS)):
            _expect_rows(feature_map, mapped(np.arange(slot)), (n_candidates,), what=f"at_slot below {slot} items")
    for n_pages, n_slots in ((5, N_SLOTS), (5, 1), (1, N_SLOTS), (0, N_SLOTS)):
        pages = feature_map.of_pages(draw_features(rng, n_pages, n_slots))
        _expect_rows(feature_map, pages, (n_pages, n_slots), what="of_pages")


def items_without_features_give_numbers(make: MakeFeatureMap) -> None:
    """Items whose features are all 0 give finite rows, as candidates and as items above."""
    feature_map = make()
    features = np.where(np.arange(N_ITEMS)[:, None] % 2, FEATURES, 0.0)
    mapped = feature_map.at_slot(features)
    for above in BEGINNINGS:
        _expect_rows(feature_map, mapped(above), (N_ITEMS,), what=f"at_slot below {above}")
    _expect_rows(feature_map, feature_map.of_pages(features[SLATES]), SLATES.shape, what="of_pages")


def pages_are_walked_down(make: MakeFeatureMap) -> None:
    """of_pages gives each item the row that at_slot gave it when the items above had been placed."""
    feature_map = make()
    mapped = feature_map.at_slot(FEATURES)
    came = feature_map.of_pages(FEATURES[SLATES])
    for slate, page in zip(SLATES, came, strict=True):
        for slot in range(N_SLOTS):
            expect_close(
                page[slot],
                mapped(slate[:slot])[slate[slot]],
                what=f"the row of at_slot for slot {slot}",
                advice="compute both from the item and those above it, so that what is learned is what is scored",
            )


def candidates_stand_alone(make: MakeFeatureMap) -> None:
    """A candidate's row depends on itself and on the items placed, not on the other candidates nor on their order."""
    mapped = make().at_slot(FEATURES)
    rows = np.array([5, 2, 4, 0])
    fewer = make().at_slot(FEATURES[rows])
    for above in all_slates(len(rows), N_SLOTS - 1):
        for placed in (above[:slot] for slot in range(N_SLOTS)):
            expect_close(
                fewer(placed),
                mapped(rows[placed])[rows],
                what=f"the rows below {len(placed)} items among other candidates",
                advice="do not centre or scale over the candidates",
            )


def items_below_do_not_matter(make: MakeFeatureMap) -> None:
    """In of_pages, a row depends on its item and those above it, not on those below nor on other pages."""
    feature_map, pages = make(), FEATURES[SLATES]
    whole = feature_map.of_pages(pages)
    for n_slots in range(1, N_SLOTS):
        advice = "read the slots above alone"
        upper = feature_map.of_pages(pages[:, :n_slots])
        expect_close(upper, whole[:, :n_slots], what=f"the first {n_slots} rows of longer pages", advice=advice)
    some = np.array([7, 3, 100])
    advice = "map each page by itself"
    expect_close(feature_map.of_pages(pages[some]), whole[some], what="the rows among other pages", advice=advice)


def asking_is_pure(make: MakeFeatureMap) -> None:
    """The same items placed give the same rows, in whatever order it is asked and whatever requests come between."""
    feature_map = make()
    other = FEATURES[::-1] * np.array([1.0, 2.0, -1.0])
    mapped, between = feature_map.at_slot(FEATURES), feature_map.at_slot(other)
    for above in (*BEGINNINGS, *reversed(BEGINNINGS)):
        between(above)
        feature_map.of_pages(other[None, :N_SLOTS])
        expect_close(
            mapped(above),
            make().at_slot(FEATURES)(above),
            what=f"the rows of a new map below {above}",
            advice="compute the rows from the features and the items placed; keep nothing else between calls",
        )


def inputs_are_left_alone(make: MakeFeatureMap) -> None:
    """Neither features nor the rows placed are changed, and both may be read-only."""
    for writeable in (True, False):
        features, pages, placed = FEATURES.copy(), FEATURES[SLATES], SLATES[5][:2].copy()
        for array in (features, pages, placed):
            array.flags.writeable = writeable
        feature_map = make()
        feature_map.at_slot(features)(placed)
        feature_map.of_pages(pages)
        advice = "copy the array before writing to it"
        expect_close(features, FEATURES, what="the same features after at_slot", advice=advice)
        expect_close(placed, SLATES[5][:2], what="the same rows placed after at_slot", advice=advice)
        expect_close(pages, FEATURES[SLATES], what="the same features after of_pages", advice=advice)


def rows_are_the_callers(make: MakeFeatureMap) -> None:
    """No later call changes the rows that were given, and where they can be written to, this changes no later rows."""
    feature_map, features, pages = make(), FEATURES.copy(), FEATURES[SLATES]
    mapped = feature_map.at_slot(features)

    def each() -> Iterator[FloatArray]:
        yield from map(mapped, BEGINNINGS)
        yield feature_map.of_pages(pages)

    wanted = [rows.copy() for rows in each()]
    given = list(each())
    advice = "give a new array at each call, or a read-only one that stays as it is"
    for rows, before in zip(given, wanted, strict=True):
        expect_close(rows, before, what="the rows that were given, after later calls", advice=advice)
    for rows in given:
        if rows.flags.writeable:
            rows[...] = -7.0
    for rows, before in zip(each(), wanted, strict=True):
        expect_close(rows, before, what="the same after the caller wrote to the rows", advice=advice)


def keeps_no_hold_of_the_features(make: MakeFeatureMap) -> None:
    """An array of features may be used again for the next request."""
    feature_map, buffer = make(), FEATURES.copy()
    feature_map.at_slot(buffer)(SLATES[5][:2])
    feature_map.of_pages(buffer[None, :N_SLOTS])
    buffer[...] = FEATURES[::-1]
    advice = "keep nothing of a request once the next one comes"
    came, wanted = (each.at_slot(buffer)(SLATES[5][:2]) for each in (feature_map, make()))
    expect_close(came, wanted, what="the rows of the new request", advice=advice)
    came, wanted = (each.of_pages(buffer[None, :N_SLOTS]) for each in (feature_map, make()))
    expect_close(came, wanted, what="the rows of the new page", advice=advice)


FEATURE_MAP_CHECKS: Final[tuple[Check[MakeFeatureMap], ...]] = (
    keeps_the_protocol,
    rows_are_as_wide_as_promised,
    items_without_features_give_numbers,
    pages_are_walked_down,
    candidates_stand_alone,
    items_below_do_not_matter,
    asking_is_pure,
    inputs_are_left_alone,
    rows_are_the_callers,
    keeps_no_hold_of_the_features,
)


def check_feature_map(make: MakeFeatureMap) -> tuple[CheckResult, ...]:
    """Run every check of `FEATURE_MAP_CHECKS` on maps that ``make()`` gives, for pages of at least 3 slots."""
    return run_checks(FEATURE_MAP_CHECKS, make)


def require_feature_map(make: MakeFeatureMap) -> None:
    """Raise a ContractError that names every broken promise."""
    require(check_feature_map(make))


def _expect_rows(feature_map: FeatureMap, came: FloatArray, shape: tuple[int, ...], *, what: str) -> None:
    wanted = (*shape, feature_map.n_features(N_FEATURES))
    expect(
        came.shape == wanted and came.dtype.kind == "f" and bool(np.isfinite(came).all()),
        expected=f"finite numbers of shape {wanted} from {what}",
        came=f"{came.dtype} of shape {came.shape}, {np.count_nonzero(~np.isfinite(came))} not finite",
        advice="give every item n_features(d) numbers, and take care where a norm is 0",
    )
