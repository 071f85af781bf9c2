"""Each click model against its generative story, told event by event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.errors import InvalidInputError
from sojourn.logs.datasets.click_model_parameters import CCM, CM, DBN, DCM, PBM, UBM, ClickModelParameters
from sojourn.records import FloatArray
from sojourn.simulation import BrowsingClicks, CascadeClicks, PositionClicks, page_clicks

STOPPED = -2
Branch = tuple[float, int, int]  # probability, click, state for the next slot
MODELS = ("pbm", "cm", "dcm", "dbn", "ccm", "ubm")


def _parameters(model: str, m: int, rng: np.random.Generator) -> ClickModelParameters:
    attraction = rng.uniform(0.05, 0.95, size=m)
    match model:
        case "pbm":
            return PBM(attraction=attraction, examination=rng.random(m))
        case "cm":
            return CM(attraction=attraction)
        case "dcm":
            return DCM(attraction=attraction, continuation=rng.random(m))
        case "dbn":
            return DBN(attraction=attraction, satisfaction=rng.random(m), abandonment=float(rng.random()))
        case "ccm":
            tau1, tau2, tau3 = rng.random(3).tolist()
            return CCM(attraction=attraction, tau1=tau1, tau2=tau2, tau3=tau3)
        case _:
            return UBM(attraction=attraction, examination=rng.random((m, m)))


def _flip(p: float) -> tuple[tuple[float, bool], tuple[float, bool]]:
    return (p, True), (1.0 - p, False)


def _slot(parameters: ClickModelParameters, rank: int, document: int, state: int) -> Iterator[Branch]:
    """Every way in which one slot can go: the state is the last click's rank (-1: none), or that reading stopped."""
    a = float(parameters.attraction[document])
    if isinstance(parameters, (PBM, UBM)):
        row = parameters.examination[rank]
        examined_with = float(row[state]) if isinstance(parameters, UBM) else float(row)
        for p_examined, examined in _flip(examined_with):
            for p_attracted, attracted in _flip(a):
                click = examined and attracted
                yield p_examined * p_attracted, int(click), rank if click else state
        return
    if state == STOPPED:
        yield 1.0, 0, STOPPED
        return
    for p_click, click in _flip(a):
        for p_on, on in _reads_on(parameters, rank, document, click=click):
            yield p_click * p_on, int(click), state if on else STOPPED


def _reads_on(
    parameters: ClickModelParameters, rank: int, document: int, *, click: bool
) -> Iterator[tuple[float, bool]]:
    match parameters:
        case CM():
            yield 1.0, not click
        case DCM():
            yield from _flip(float(parameters.continuation[rank])) if click else ((1.0, True),)
        case DBN():
            for p_satisfied, satisfied in _flip(float(parameters.satisfaction[document]) if click else 0.0):
                for p_gives_up, gives_up in _flip(parameters.abandonment):
                    yield p_satisfied * p_gives_up, not satisfied and not gives_up
        case CCM():
            for p_relevant, relevant in _flip(float(parameters.attraction[document])):
                tau = parameters.tau1 if not click else parameters.tau3 if relevant else parameters.tau2
                for p_on, on in _flip(tau):
                    yield p_relevant * p_on, on


def _patterns(parameters: ClickModelParameters, slate: tuple[int, ...]) -> dict[tuple[int, ...], float]:
    """Probability of each click pattern, summed over all outcomes of the story."""
    paths: list[tuple[float, tuple[int, ...], int]] = [(1.0, (), -1)]
    for rank, document in enumerate(slate):
        paths = [
            (p * q, (*clicks, click), after)
            for p, clicks, state in paths
            for q, click, after in _slot(parameters, rank, document, state)
        ]
    patterns: dict[tuple[int, ...], float] = defaultdict(float)
    for p, clicks, _ in paths:
        patterns[clicks] += p
    return patterns


def _expected(parameters: ClickModelParameters, slate: tuple[int, ...]) -> float:
    return sum(p * sum(clicks) for clicks, p in _patterns(parameters, slate).items())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n_slots", [1, 2, 4])
def test_expected_clicks_equal_the_sum_over_all_outcomes(model: str, n_slots: int, rng: np.random.Generator) -> None:
    parameters = _parameters(model, 4, rng)
    slates = list(permutations(range(4), n_slots))
    wanted = [_expected(parameters, slate) for slate in slates]
    np.testing.assert_allclose(page_clicks(parameters).expected_clicks(np.array(slates)), wanted, atol=1e-12)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n_slots", [1, 2, 4])
def test_any_click_is_all_but_the_empty_pattern(model: str, n_slots: int, rng: np.random.Generator) -> None:
    parameters = _parameters(model, 4, rng)
    slates = list(permutations(range(4), n_slots))
    wanted = [1.0 - _patterns(parameters, slate).get((0,) * n_slots, 0.0) for slate in slates]
    np.testing.assert_allclose(page_clicks(parameters).any_click(np.array(slates)), wanted, atol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_click_patterns_have_their_exact_frequencies(model: str, rng: np.random.Generator) -> None:
    parameters = _parameters(model, 5, rng)
    slate, n = (3, 0, 4), 6_000
    page = page_clicks(parameters)
    counts: dict[tuple[int, ...], int] = defaultdict(int)
    for _ in range(n):
        counts[tuple(page.click(np.array(slate), rng=rng).astype(int).tolist())] += 1
    wanted = _patterns(parameters, slate)
    assert sum(wanted.values()) == pytest.approx(1.0)
    for pattern, p in wanted.items():
        assert abs(counts[pattern] - n * p) <= 4.5 * np.sqrt(n * p * (1.0 - p)) + 1e-9, pattern


@given(model=st.sampled_from(MODELS), m=st.integers(1, 5), seed=st.integers(0, 2**32 - 1), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_best_slate_is_the_best_of_all_slates(model: str, m: int, seed: int, data: st.DataObject) -> None:
    n_slots = data.draw(st.integers(1, m))
    page = page_clicks(_parameters(model, m, np.random.default_rng(seed)))
    best = page.best(n_slots)
    assert len(set(best.tolist())) == n_slots
    every = page.expected_clicks(np.array(list(permutations(range(m), n_slots))))
    assert page.expected_clicks(best[None])[0] == pytest.approx(every.max(), abs=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_the_same_number_of_draws_whatever_happens(model: str, rng: np.random.Generator) -> None:
    page = page_clicks(_parameters(model, 5, rng))
    after = []
    for slate in ([0, 1, 2], [4, 3, 2]):
        people = np.random.default_rng(5)
        page.click(np.array(slate), rng=people)
        after.append(people.random())
    assert after[0] == after[1]


def test_a_cascade_with_perfect_readers_counts_every_attraction() -> None:
    attraction = np.array([0.2, 0.5, 0.1])
    page = CascadeClicks(attraction=attraction, after_click=np.ones((3, 3)), after_skip=np.ones((3, 3)))
    assert page.expected_clicks(np.array([[2, 0, 1]]))[0] == pytest.approx(0.8)


def test_pbm_best_slate_uses_examination_that_does_not_fall() -> None:
    page = PositionClicks(attraction=np.array([0.1, 0.9, 0.5]), examination=np.array([0.2, 1.0, 0.5]))
    np.testing.assert_array_equal(page.best(3), [0, 1, 2])


def test_too_many_slates_to_compare_are_refused() -> None:
    page = BrowsingClicks(attraction=np.full(10, 0.1), examination=np.full((10, 10), 0.5))
    with pytest.raises(InvalidInputError, match=r"604,800 ordered slates.*fewer slots"):
        page.best(7)


def test_too_many_documents_for_the_subset_program_are_refused() -> None:
    half = np.full((17, 17), 0.5)
    with pytest.raises(InvalidInputError, match="at most 16 documents"):
        CascadeClicks(attraction=half[0], after_click=half, after_skip=half).best(2)


_HALF: FloatArray = np.full(3, 0.5)
_SQUARE: FloatArray = np.full((3, 3), 0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PositionClicks(attraction=_HALF + 0.6, examination=_HALF), "attraction: expected prob"),
        (lambda: PositionClicks(attraction=_HALF, examination=_HALF[:2]), "examination: expected an array"),
        (lambda: PositionClicks(attraction=_HALF * np.nan, examination=_HALF), "attraction: expected prob"),
        (lambda: CascadeClicks(attraction=_HALF, after_click=_SQUARE, after_skip=-_SQUARE), "after_skip"),
        (lambda: CascadeClicks(attraction=_HALF, after_click=_HALF, after_skip=_SQUARE), "after_click"),
        (lambda: BrowsingClicks(attraction=_HALF, examination=_HALF), "examination"),
    ],
)
def test_parameters_that_are_not_probabilities_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()
