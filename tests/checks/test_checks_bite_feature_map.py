"""Every check of feature maps catches the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sojourn.checks import FEATURE_MAP_CHECKS
from sojourn.checks.contract import run_checks
from sojourn.records import FloatArray, IntArray

CHECKS = {check.__name__: check for check in FEATURE_MAP_CHECKS}
Mapped = Callable[[IntArray], FloatArray]


class Sound:
    """[x ; x times the sum of the features above]."""

    def n_features(self, n_features: int) -> int:
        return 2 * n_features

    def at_slot(self, features: FloatArray) -> Mapped:
        return lambda placed: self.joined(features, features[placed].sum(axis=0))

    def of_pages(self, features: FloatArray) -> FloatArray:
        return self.joined(features, features.cumsum(axis=1) - features)

    def joined(self, features: FloatArray, above: FloatArray) -> FloatArray:
        return np.concatenate((features, features * above), axis=-1)


class GivesARatio(Sound):
    def n_features(self, n_features: int) -> int:
        return 2.0 * n_features  # type: ignore[return-value]


class CountsTheIntercept(Sound):
    def n_features(self, n_features: int) -> int:
        return 2 * n_features + 1


class LosesTheOnlySlot(Sound):
    def of_pages(self, features: FloatArray) -> FloatArray:
        return super().of_pages(features).squeeze()


class CountsInIntegers(Sound):
    def at_slot(self, features: FloatArray) -> Mapped:
        mapped = super().at_slot(features)
        return lambda placed: mapped(placed).astype(np.int64)


class DividesByTheNorm(Sound):
    def joined(self, features: FloatArray, above: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):
            return super().joined(features / np.linalg.norm(features, axis=-1, keepdims=True), above)


class SeesItself(Sound):
    def of_pages(self, features: FloatArray) -> FloatArray:
        return self.joined(features, features.cumsum(axis=1))


class SeesTheItemJustAbove(Sound):
    def at_slot(self, features: FloatArray) -> Mapped:
        mapped = super().at_slot(features)
        return lambda placed: mapped(placed[-1:])


class CentresTheCandidates(Sound):
    def at_slot(self, features: FloatArray) -> Mapped:
        return super().at_slot(features - features.mean(axis=0))


class SeesThePage(Sound):
    def of_pages(self, features: FloatArray) -> FloatArray:
        return self.joined(features, features.sum(axis=1, keepdims=True) - features)


class CentresThePages(Sound):
    def of_pages(self, features: FloatArray) -> FloatArray:
        return super().of_pages(features - features.mean(axis=0))


class AddsAsItGoes(Sound):
    """Takes each call for one slot further down the same slate."""

    def at_slot(self, features: FloatArray) -> Mapped:
        above = np.zeros(features.shape[1])

        def mapped(placed: IntArray) -> FloatArray:
            above[...] = above + features[placed[-1]] if len(placed) else 0.0
            return self.joined(features, above)

        return mapped


class KeepsTheFirstSlate(Sound):
    def at_slot(self, features: FloatArray) -> Mapped:
        mapped, kept = super().at_slot(features), dict[int, FloatArray]()
        return lambda placed: kept.setdefault(len(placed), mapped(placed))


class KeepsOneRequest(Sound):
    def at_slot(self, features: FloatArray) -> Mapped:
        self.features = features
        return lambda placed: self.joined(self.features, self.features[placed].sum(axis=0))


class CentresInPlace(Sound):
    def at_slot(self, features: FloatArray) -> Mapped:
        if features.flags.writeable:
            features -= features.mean(axis=0)
        return super().at_slot(features)


class SortsInPlace(Sound):
    def at_slot(self, features: FloatArray) -> Mapped:
        mapped = super().at_slot(features)

        def sorted_first(placed: IntArray) -> FloatArray:
            placed[::-1].sort()
            return mapped(placed)

        return sorted_first


class WritesThePages(Sound):
    def of_pages(self, features: FloatArray) -> FloatArray:
        features[:, 0] += 0.0
        mapped = super().of_pages(features)
        features[:, 1:] = 0.0
        return mapped


class GivesTheFeatures(Sound):
    """No map at all, but the very array that came."""

    def n_features(self, n_features: int) -> int:
        return n_features

    def at_slot(self, features: FloatArray) -> Mapped:
        return lambda placed: features

    def of_pages(self, features: FloatArray) -> FloatArray:
        return features


class FillsOneArray(Sound):
    def at_slot(self, features: FloatArray) -> Mapped:
        mapped, kept = super().at_slot(features), np.empty((len(features), 2 * features.shape[1]))

        def filled(placed: IntArray) -> FloatArray:
            kept[...] = mapped(placed)
            return kept

        return filled


class KnowsTheArrayAgain(Sound):
    seen: FloatArray | None = None

    def at_slot(self, features: FloatArray) -> Mapped:
        if self.seen is not features:
            self.seen, self.copy = features, features.copy()
        return super().at_slot(self.copy)


class KnowsThePagesAgain(Sound):
    def __init__(self) -> None:
        self.kept: dict[int, FloatArray] = {}

    def of_pages(self, features: FloatArray) -> FloatArray:
        return self.kept.setdefault(features.ctypes.data, super().of_pages(features)).copy()


MUTANTS: list[tuple[str, type[Sound], str]] = [
    ("keeps_the_protocol", GivesARatio, "an int >= 1"),
    ("rows_are_as_wide_as_promised", CountsTheIntercept, "shape (3, 7) from at_slot below 0 items"),
    ("rows_are_as_wide_as_promised", LosesTheOnlySlot, "shape (5, 1, 6) from of_pages"),
    ("rows_are_as_wide_as_promised", CountsInIntegers, "got int64"),
    ("items_without_features_give_numbers", DividesByTheNorm, "not finite"),
    ("pages_are_walked_down", SeesItself, "row of at_slot for slot 0"),
    ("pages_are_walked_down", SeesTheItemJustAbove, "row of at_slot for slot 2"),
    ("candidates_stand_alone", CentresTheCandidates, "below 0 items among other candidates"),
    ("items_below_do_not_matter", SeesThePage, "first 1 rows of longer pages"),
    ("items_below_do_not_matter", CentresThePages, "among other pages"),
    ("asking_is_pure", AddsAsItGoes, "the rows of a new map"),
    ("asking_is_pure", KeepsTheFirstSlate, "the rows of a new map"),
    ("asking_is_pure", KeepsOneRequest, "the rows of a new map"),
    ("inputs_are_left_alone", CentresInPlace, "the same features after at_slot"),
    ("inputs_are_left_alone", SortsInPlace, "the same rows placed"),
    ("inputs_are_left_alone", WritesThePages, "the same features after of_pages"),
    ("rows_are_the_callers", FillsOneArray, "after later calls"),
    ("rows_are_the_callers", GivesTheFeatures, "the caller wrote"),
    ("keeps_no_hold_of_the_features", KnowsTheArrayAgain, "rows of the new request"),
    ("keeps_no_hold_of_the_features", KnowsThePagesAgain, "rows of the new page"),
]


def test_the_map_that_mutants_are_made_of_is_sound() -> None:
    assert [result for result in run_checks(FEATURE_MAP_CHECKS, Sound) if not result.passed] == []


@pytest.mark.parametrize(("check", "mutant", "says"), MUTANTS)
def test_the_check_catches_the_mutant(check: str, mutant: type[Sound], says: str) -> None:
    (result,) = run_checks([CHECKS[check]], mutant)
    assert (result.name, result.passed) == (check, False)
    assert says in result.message


def test_every_check_has_a_mutant() -> None:
    assert {check for check, _, _ in MUTANTS} == set(CHECKS)
