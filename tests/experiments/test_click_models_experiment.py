"""The experiment on click models: what is held out, how a model is judged, and the tables."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from experiments.click_models import tables
from experiments.click_models.contenders import BASELINE, Contender, ours
from experiments.click_models.pages import Pages, SplitName
from experiments.click_models.run import judge

from sojourn.exposure import BrowsingModel, PositionBasedModel, compare
from sojourn.records import LogBatch


@pytest.fixture
def pages(rng: np.random.Generator) -> Pages:
    query = np.repeat([0, 1, 0], [30, 50, 20])
    item = query[:, None] * 4 + rng.permuted(np.tile(np.arange(4), (100, 1)), axis=1)
    click = (rng.random(item.shape) < 0.3).astype(np.float64)
    batch = LogBatch(
        item=item,
        features=np.zeros((100, 4, 0)),
        click=click,
        reward=click,
        position=np.tile(np.arange(4), (100, 1)),
        session=np.arange(100),
        step=np.zeros(100, dtype=np.int64),
    )
    return Pages(batch=batch, query=query)


def position_based_and_baseline() -> list[Contender]:
    return [each for each in ours() if each.name in {"position-based (PBM)", BASELINE}]


def test_the_last_fifth_of_each_query_or_of_the_file_is_held_out(pages: Pages) -> None:
    by_query, by_file = (pages.split(name) for name in get_args(SplitName))
    np.testing.assert_array_equal(np.flatnonzero(~by_query.train), [*range(70, 80), *range(90, 100)])
    np.testing.assert_array_equal(np.flatnonzero(~by_file.train), range(80, 100))
    np.testing.assert_array_equal(by_query.held_out.item, pages.batch.item[~by_query.train])
    assert by_query.known.n_rounds == 80


def test_a_model_is_judged_as_compare_judges_it(pages: Pages) -> None:
    split = pages.split("by query")
    base, expected = compare({"ubm": BrowsingModel(), "pbm": PositionBasedModel()}, split.known, split.held_out)
    pbm, ubm = position_based_and_baseline()
    fitted = {each.name: each.fit(split, lambda done, total: None) for each in (pbm, ubm)}
    record = judge(pbm, split, fitted[pbm.name], fitted[BASELINE].log_likelihood)
    assert record["log_likelihood"] == pytest.approx(expected.log_likelihood, rel=1e-12)
    assert record["gain"] == pytest.approx(expected.gain, rel=1e-9)
    assert record["gain_stderr"] == pytest.approx(expected.gain_stderr, rel=1e-9)
    assert record["perplexity_by_rank"] == pytest.approx(expected.perplexity.by_rank.tolist(), rel=1e-12)
    assert record["perplexity"] == pytest.approx(expected.perplexity.mean, rel=1e-12)
    assert record["n_parameters"] == expected.n_parameters
    assert record["n_pages"] == [80, 20]
    assert base.gain == 0.0


def test_tables_are_made_from_records_alone(pages: Pages) -> None:
    split = pages.split("by query")
    contenders = position_based_and_baseline()
    fits = [each.fit(split, lambda done, total: None) for each in contenders]
    records = [
        judge(each, split, fitted, fits[1].log_likelihood) | {"wall_seconds": 60.0}
        for each, fitted in zip(contenders, fits, strict=True)
    ]
    made = tables.made(records)
    assert "All runs together took 2 minutes, those of Sojourn 2.0." in made["how it was run"]
    assert f"| {BASELINE} | Sojourn |" in made["pages by query"]
    assert "+0.0000 +- 0.0000" in made["pages by query"]
    assert made["perplexity by rank"].count("\n") == 3
    assert made["pages by file"].count("\n") == 1


def test_a_model_that_rules_out_a_page_comes_last(pages: Pages) -> None:
    split = pages.split("by query")
    contenders = [each for each in ours() if each.name in {"cascade", BASELINE}]
    fits = [each.fit(split, lambda done, total: None) for each in contenders]
    records = [
        judge(each, split, fitted, fits[0].log_likelihood) | {"wall_seconds": 1.0}
        for each, fitted in zip(contenders, fits, strict=True)
    ]
    assert [record["log_likelihood"] is None for record in records] == [False, True]
    lines = tables.made(records[::-1])["pages by query"].splitlines()
    assert lines[-1].startswith("| cascade | Sojourn | -inf |  |")
