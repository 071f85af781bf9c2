from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Environment
from sojourn.logs.datasets import click_model_parameters
from sojourn.logs.datasets.click_model_parameters import CM, PBM, UBM, ClickModelParameters
from sojourn.records import Decision, Request
from sojourn.simulation import QueryPages, page_clicks


@pytest.fixture
def parameters(rng: np.random.Generator) -> dict[str, ClickModelParameters]:
    """Three queries, two models, pages of different lengths."""
    return {
        "a": PBM(attraction=rng.random(4), examination=np.array([1.0, 0.6, 0.4, 0.3])),
        "b": CM(attraction=rng.random(3)),
        "c": CM(attraction=rng.random(5)),
    }


def test_it_is_an_environment(parameters: dict[str, ClickModelParameters]) -> None:
    assert isinstance(QueryPages(parameters, n_slots=2), Environment)


def test_requests_are_the_queries_equally_often(
    parameters: dict[str, ClickModelParameters], rng: np.random.Generator
) -> None:
    pages = QueryPages(parameters, n_slots=2)
    lengths = [len(pages.request(rng=rng).item_ids) for _ in range(3_000)]
    counts = np.array([lengths.count(m) for m in (4, 3, 5)])
    assert (np.abs(counts - 1_000) < 4.5 * np.sqrt(3_000 * 2 / 9)).all()


def test_features_name_the_query_and_the_document(
    parameters: dict[str, ClickModelParameters], rng: np.random.Generator
) -> None:
    pages = QueryPages(parameters, n_slots=2)
    for _ in range(20):
        request = pages.request(rng=rng)
        assert request.features.shape[1] == 12
        np.testing.assert_array_equal(request.features, np.eye(12)[request.item_ids])


def test_answers_are_those_of_the_query(parameters: dict[str, ClickModelParameters], rng: np.random.Generator) -> None:
    pages = QueryPages(parameters, n_slots=2)
    truth = {len(record.attraction): page_clicks(record) for record in parameters.values()}
    chosen = np.array([2, 0])
    for _ in range(20):
        request = pages.request(rng=rng)
        page = truth[len(request.item_ids)]
        assert pages.expected_reward(request, chosen) == pytest.approx(page.expected_clicks(chosen[None])[0])
        assert pages.expected_set_reward(request, chosen) == pytest.approx(page.any_click(chosen[None])[0])
        np.testing.assert_array_equal(pages.best_slate(request), page.best(2))


def test_feedback_has_the_expected_number_of_clicks(
    parameters: dict[str, ClickModelParameters], rng: np.random.Generator
) -> None:
    pages = QueryPages(parameters, n_slots=3)
    request = pages.request(rng=rng)
    slate = np.array([1, 2, 0])
    decision = Decision(
        request_id=request.request_id, policy="test", chosen=slate, propensity=np.ones(3), deterministic=True
    )
    clicks = np.array([pages.feedback(request, decision, rng=rng).click.sum() for _ in range(4_000)])
    assert abs(clicks.mean() - pages.expected_reward(request, slate)) < 4.5 * clicks.std() / np.sqrt(4_000)


def test_a_request_of_other_candidates_is_refused(
    parameters: dict[str, ClickModelParameters], rng: np.random.Generator
) -> None:
    pages = QueryPages(parameters, n_slots=2)
    request = Request(request_id="r", item_ids=np.array([1, 0, 2, 3]), features=np.zeros((4, 12)), n_slots=2)
    with pytest.raises(InvalidInputError, match="one that these pages made"):
        pages.best_slate(request)


@pytest.mark.parametrize("n_slots", [0, 4])
def test_slots_that_a_page_cannot_fill_are_refused(n_slots: int, parameters: dict[str, ClickModelParameters]) -> None:
    with pytest.raises(InvalidInputError, match="expected 1 to 3"):
        QueryPages(parameters, n_slots=n_slots)


def test_no_query_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="at least one query"):
        QueryPages({}, n_slots=1)


def test_browsing_pages_with_too_many_slots_are_refused_at_once() -> None:
    record = UBM(attraction=np.full(10, 0.1), examination=np.full((10, 10), 0.5))
    with pytest.raises(InvalidInputError, match="fewer slots"):
        QueryPages({"q": record}, n_slots=7)


@pytest.mark.data
@pytest.mark.parametrize("model", ["pbm", "cm", "dcm", "dbn", "ccm", "ubm"])
def test_the_fitted_queries_leave_something_to_gain(model: str, data_dir: Path) -> None:
    fitted = click_model_parameters.load(data_dir / "yandex_60q")
    pages = QueryPages(getattr(fitted, model), n_slots=3)
    rng = np.random.default_rng(0)
    requests = [pages.request(rng=rng) for _ in range(300)]
    best = np.mean([pages.expected_reward(request, pages.best_slate(request)) for request in requests])
    logged = np.mean([pages.expected_reward(request, np.arange(3)) for request in requests])
    assert requests[0].features.shape == (10, 600)
    assert 0.75 < logged / best < 0.99
