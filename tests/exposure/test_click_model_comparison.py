from __future__ import annotations

import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from sojourn.errors import InvalidInputError
from sojourn.exposure import (
    BrowsingModel,
    DocumentCTR,
    PositionBasedModel,
    RankCTR,
    SurvivalModel,
    compare,
    perplexity,
    scroll_depth,
)
from sojourn.interfaces import ClickModel
from sojourn.records import FloatArray, LogBatch

BatchOf = Callable[..., LogBatch]
Simulated = Callable[..., LogBatch]

W = np.array([1.0, 0.6, 0.3])
G = np.array([0.5, 0.2, 0.4, 0.1])


class Known:
    """A click model whose parameters are given."""

    def fit(self, batch: LogBatch) -> Self:
        return self

    def examination(self, batch: LogBatch) -> FloatArray:
        return np.asarray(np.where(batch.shown, W[batch.position], 0.0))

    def filtered_examination(self, batch: LogBatch) -> FloatArray:
        raise NotImplementedError

    def posterior_examination(self, batch: LogBatch) -> FloatArray:
        raise NotImplementedError

    def click_probability(self, batch: LogBatch) -> FloatArray:
        return np.asarray(self.examination(batch) * G[batch.item])

    def log_likelihood(self, batch: LogBatch) -> FloatArray:
        p = self.click_probability(batch)
        return np.asarray(np.where(batch.click == 1, np.log(p), np.log1p(-p)).sum(axis=1))

    def simulate(self, batch: LogBatch, *, rng: np.random.Generator) -> FloatArray:
        raise NotImplementedError


def entropy(p: FloatArray) -> FloatArray:
    return -(p * np.log2(p) + (1 - p) * np.log2(1 - p))


def test_perplexity_of_the_truth_is_two_to_the_entropy(batch_of: BatchOf) -> None:
    # Ten pages of each item whose clicks follow the truth exactly, for w g = .5, .2, .4 and .1.
    item = np.repeat([0, 1, 2, 3], 10)[:, None]
    click = (np.tile(np.arange(10), 4) < np.repeat(10 * G, 10))[:, None]
    result = perplexity(Known(), batch_of(item, click))
    assert result.mean == pytest.approx(2 ** entropy(G).mean())
    np.testing.assert_allclose(result.by_rank, [2 ** entropy(G).mean()])


def test_perplexity_averages_over_ranks_not_slots(batch_of: BatchOf) -> None:
    pages = batch_of([[0, 1], [0, -1], [0, -1]], [[1, 0], [0, 0], [1, 1]])
    result = perplexity(Known(), pages)
    below = 1 / (1 - W[1] * G[1])
    np.testing.assert_allclose(result.by_rank, [2.0, below])
    assert result.mean == pytest.approx((2.0 + below) / 2)


def test_a_rank_that_does_not_occur_has_no_perplexity(batch_of: BatchOf) -> None:
    result = perplexity(Known(), batch_of([[0, 1]], [[1, 0]], position=[0, 2]))
    assert np.isnan(result.by_rank).tolist() == [False, True, False]
    assert np.isfinite(result.mean)


def test_a_page_that_the_model_rules_out_is_infinitely_surprising(batch_of: BatchOf) -> None:
    never = PositionBasedModel(item_prior=(0, 0), position_prior=(0, 0)).fit(batch_of([[0]], [[0]]))
    clicked = batch_of([[0]], [[1]])
    assert never.log_likelihood(clicked)[0] == -np.inf
    assert perplexity(never, clicked).by_rank[0] == np.inf


def test_perplexity_of_an_empty_log_is_refused(batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="at least one slot"):
        perplexity(Known(), batch_of([[-1]], [[0]]))


def test_baselines_are_smoothed_click_rates(batch_of: BatchOf) -> None:
    log = batch_of([[5, 7], [7, 5], [5, -1]], [[1, 0], [0, 0], [1, 0]])
    rank, document = RankCTR(prior=(1.0, 2.0)).fit(log), DocumentCTR(prior=(1.0, 2.0)).fit(log)
    assert isinstance(rank, ClickModel)
    assert isinstance(document, ClickModel)
    np.testing.assert_allclose(rank.click_probability(log)[2], [3 / 6, 0.0])
    np.testing.assert_allclose(rank.click_probability(log)[0], [3 / 6, 1 / 5])
    np.testing.assert_allclose(document.click_probability(log)[0], [3 / 6, 1 / 5])
    np.testing.assert_array_equal(document.examination(log), log.shown)
    np.testing.assert_array_equal(rank.posterior_examination(log), log.click * log.shown)
    assert (rank.n_parameters, document.n_parameters) == (2, 2)


def test_baselines_know_what_to_say_of_the_unknown(batch_of: BatchOf) -> None:
    log, other = batch_of([[5, 7]], [[1, 0]]), batch_of([[99, 98, 97]], [[0, 0, 0]])
    assert DocumentCTR().fit(log).click_probability(other).tolist() == [[0.5, 0.5, 0.5]]
    assert RankCTR().fit(log).click_probability(other).tolist() == [[0.75, 0.25, 0.25]]


@pytest.mark.parametrize("model", [RankCTR, DocumentCTR])
def test_baselines_refuse_what_they_cannot_do(model: type[RankCTR | DocumentCTR], batch_of: BatchOf) -> None:
    with pytest.raises(InvalidInputError, match="> 0"):
        model(prior=(0.0, 1.0))
    with pytest.raises(InvalidInputError, match="call fit"):
        model().click_probability(batch_of([[0]], [[0]]))


def test_compare_judges_on_held_out_pages(simulated: Simulated, rng: np.random.Generator) -> None:
    train, test = simulated(W, G, 4000, rng=rng), simulated(W, G, 2000, rng=rng)
    calls: list[tuple[int, int]] = []
    models: dict[str, ClickModel] = {"rank": RankCTR(), "document": DocumentCTR(), "pbm": PositionBasedModel()}
    models["truth"] = Known()
    results = compare(models, train, test, progress=lambda done, total: calls.append((done, total)))
    rank, document, pbm, truth = results
    assert [result.name for result in results] == list(models)
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert rank.gain == rank.gain_stderr == 0.0
    assert pbm.gain > 5 * pbm.gain_stderr
    assert pbm.perplexity.mean < min(rank.perplexity.mean, document.perplexity.mean)
    assert abs(pbm.log_likelihood - truth.log_likelihood) < 0.005  # 6 parameters / 4,000 pages, and noise
    assert (pbm.n_parameters, truth.n_parameters) == (6, None)
    pages = models["pbm"].log_likelihood(test)
    assert pbm.log_likelihood == pages.mean()
    assert pbm.seconds > 0.0
    assert (pbm.z, truth.z) == (None, None)
    np.testing.assert_array_equal(pbm.pages, pages)


def test_a_lead_is_paired_page_by_page(simulated: Simulated, rng: np.random.Generator) -> None:
    train, test = simulated(W, G, 1000, rng=rng), simulated(W, G, 500, rng=rng)
    rank, pbm = compare({"rank": RankCTR(), "pbm": PositionBasedModel()}, train, test)
    assert pbm.lead(rank) == (pbm.gain, pbm.gain_stderr)
    assert rank.lead(pbm) == pytest.approx((-pbm.gain, pbm.gain_stderr))
    assert pbm.lead(pbm) == (0.0, 0.0)
    apart = float(np.hypot(rank.pages.std(ddof=1), pbm.pages.std(ddof=1)) / np.sqrt(500))
    assert pbm.gain_stderr < 0.7 * apart  # pages that are hard for one are hard for the other


def test_the_detector_of_a_model_that_has_one_is_told(simulated: Simulated, rng: np.random.Generator) -> None:
    train, test = simulated(W, G, 2000, rng=rng), simulated(W, G, 500, rng=rng)
    models: dict[str, ClickModel] = {"scroll": scroll_depth(), "pbm": PositionBasedModel()}
    scroll, _ = compare(models, train, test)
    fitted = models["scroll"]
    assert isinstance(fitted, SurvivalModel)
    assert scroll.z == fitted.report.z
    assert scroll.n_parameters == fitted.n_parameters


def test_compare_needs_models_and_pages(simulated: Simulated, rng: np.random.Generator) -> None:
    log = simulated(W, G, 2, rng=rng)
    with pytest.raises(InvalidInputError, match="got 0 and 2"):
        compare({}, log, log)
    with pytest.raises(InvalidInputError, match="got 1 and 1"):
        compare({"rank": RankCTR()}, log, log.take(slice(1)))


def yandex_pages(path: Path, batch_of: BatchOf) -> tuple[LogBatch, np.ndarray]:
    """The pages, and how far each lies in the log of its query, 0 to 1."""
    items: dict[tuple[str, str], int] = {}
    item, click, progress = [], [], []
    for line in lzma.decompress(path.read_bytes()).decode().splitlines():  # one query a line
        pages = [page for page in line.split(";") if page.strip()]
        for number, page in enumerate(pages):
            listed, _, clicked = page.partition(":")
            query, _, documents = listed.strip().partition("\t")
            shown = documents.strip().split(",")
            clicks = {document.strip() for document in clicked.split(",")}
            item.append([items.setdefault((query, document), len(items)) for document in shown])
            click.append([document in clicks for document in shown])
            progress.append(number / len(pages))
    return batch_of(item, click), np.array(progress)


@pytest.mark.data
def test_the_position_based_model_beats_both_baselines_on_real_pages(data_dir: Path, batch_of: BatchOf) -> None:
    log, progress = yandex_pages(data_dir / "yandex" / "train.txt.xz", batch_of)
    assert log.item.shape == (35_064, 10)
    models: dict[str, ClickModel] = {"rank": RankCTR(), "document": DocumentCTR(), "pbm": PositionBasedModel()}
    rank, document, pbm = compare(models, log.take(progress < 0.8), log.take(progress >= 0.8))
    assert pbm.perplexity.mean < min(document.perplexity.mean, rank.perplexity.mean)
    assert pbm.log_likelihood > max(document.log_likelihood, rank.log_likelihood)
    assert pbm.log_likelihood == pytest.approx(-3.135, abs=0.005)
    fitted = models["pbm"]
    assert isinstance(fitted, PositionBasedModel)
    assert fitted.report.converged
    assert fitted.report.warnings == ()
    assert (np.diff(fitted.weights[:8]) < 0).all()


@pytest.mark.data
def test_the_browsing_model_beats_the_position_based_one_on_real_pages(data_dir: Path, batch_of: BatchOf) -> None:
    log, progress = yandex_pages(data_dir / "yandex" / "train.txt.xz", batch_of)
    as_pyclick = BrowsingModel(
        item_prior=(1, 1), context_prior=(1, 1), anchor_first=False, accelerate=False, tolerance=0, max_iterations=50
    )
    models: dict[str, ClickModel] = {"pbm": PositionBasedModel(), "ubm": BrowsingModel(), "as PyClick": as_pyclick}
    _, ubm, reference = compare(models, log.take(progress < 0.8), log.take(progress >= 0.8))
    assert ubm.gain > 5 * ubm.gain_stderr
    assert ubm.log_likelihood == pytest.approx(-2.9710, abs=0.002)
    assert reference.log_likelihood >= -2.9693  # what a prototype reached
    fitted = models["ubm"]
    assert isinstance(fitted, BrowsingModel)
    assert fitted.report.converged
    assert fitted.report.warnings == ()
