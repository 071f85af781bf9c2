from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sojourn.errors import LogError
from sojourn.logs.datasets import click_model_parameters
from sojourn.logs.datasets.click_model_parameters import DBN, ParameterSet
from sojourn.records import FloatArray

ATTRACTION = [0.1 * (10 - rank) for rank in range(10)]
SEED = 260423235


def parameters() -> dict[str, Any]:
    square = [[0.2] * 10 for _ in range(10)]
    extra: dict[str, list[Any]] = {
        "PBM": [[0.9] * 10],
        "CM": [],
        "DCM": [[0.5] * 10],
        "DBN": [[0.3] * 10, 2e-6],
        "CCM": [0.9, 0.8, 0.1],
        "UBM": [square],
    }
    return {
        model: {"214456": {"relevances": ATTRACTION, "args": [ATTRACTION, *values, SEED]}}
        for model, values in extra.items()
    }


def write(folder: Path, content: object) -> Path:
    (folder / "click_models.json").write_text(json.dumps(content))
    return folder


def test_each_model_gets_its_own_parameters(tmp_path: Path) -> None:
    models = click_model_parameters.load(write(tmp_path, parameters()))
    query = "214456"
    assert models.pbm[query].examination.tolist() == [0.9] * 10
    assert models.cm[query].attraction.tolist() == ATTRACTION
    assert models.dcm[query].continuation.tolist() == [0.5] * 10
    assert models.dbn[query].satisfaction.tolist() == [0.3] * 10
    assert models.dbn[query].abandonment == 2e-6
    assert (models.ccm[query].tau1, models.ccm[query].tau2, models.ccm[query].tau3) == (0.9, 0.8, 0.1)
    assert models.ubm[query].examination.shape == (10, 10)


@pytest.mark.parametrize(
    ("model", "args", "message"),
    [
        ("PBM", [ATTRACTION, SEED], "PBM, query 214456: expected 2 parameters and a seed, got 2 values"),
        ("CM", [[*ATTRACTION[:-1], 1.1], SEED], r"CM, query 214456, attraction: expected probabilities in \[0, 1\]"),
        ("CM", [[*ATTRACTION[:-1], float("nan")], SEED], "expected probabilities"),
        ("CM", [ATTRACTION[:-1], SEED], r"expected shape \(10,\), got \(9,\)"),
        ("DBN", [ATTRACTION, ATTRACTION, [0.1], SEED], r"abandonment: expected shape \(\), got \(1,\)"),
        ("CM", ["high", SEED], "expected numbers"),
        ("UBM", [ATTRACTION, [[0.1], [0.1, 0.2]], SEED], "expected numbers"),
    ],
)
def test_what_is_not_a_models_parameters_is_refused(tmp_path: Path, model: str, args: list[Any], message: str) -> None:
    content = parameters()
    content[model]["214456"]["args"] = args
    with pytest.raises(LogError, match=message):
        click_model_parameters.load(write(tmp_path, content))


@pytest.mark.parametrize("content", [[], {}, {"PBM": {}}, "text", {**parameters(), "CM": [1]}])
def test_another_json_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(LogError, match=r"click_models\.json: expected JSON"):
        click_model_parameters.load(write(tmp_path, content))


def test_what_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "click_models.json").write_text("{")
    with pytest.raises(LogError, match="expected JSON"):
        click_model_parameters.load(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"expected the file click_models\.json"):
        click_model_parameters.load(tmp_path)


@pytest.fixture(scope="module")
def real(data_dir: Path) -> ParameterSet:
    return click_model_parameters.load(data_dir / "yandex_60q")


@pytest.mark.data
def test_the_set_has_six_models_of_the_same_sixty_queries(real: ParameterSet) -> None:
    models = (real.pbm, real.cm, real.dcm, real.dbn, real.ccm, real.ubm)
    assert all(len(queries) == 60 for queries in models)
    assert all(queries.keys() == real.pbm.keys() for queries in models)
    impossible = np.triu_indices(9)  # the previous click at this rank or below it
    assert {float(p) for model in real.ubm.values() for p in model.examination[impossible]} == {0.2}


def dbn_click_rates(model: DBN) -> FloatArray:
    """P(click) by rank: the reader comes to a rank if no document above ended the page (Chapelle and Zhang 2009)."""
    read_on = (1.0 - model.abandonment) * (1.0 - model.attraction * model.satisfaction)
    return np.asarray(np.concatenate([[1.0], np.cumprod(read_on)[:-1]]) * model.attraction)


def ubm_click_rates(attraction: FloatArray, examination: FloatArray) -> FloatArray:
    last = np.zeros(11)  # P(rank of the previous click); index -1: none yet
    last[-1] = 1.0
    rates = []
    for rank in range(10):
        gamma = np.append(examination[rank], 0.0)
        gamma[-1], gamma[9] = examination[rank, -1], 0.0
        click = last * gamma * attraction[rank]
        rates.append(click.sum())
        last = last - click
        last[rank] += click.sum()
    return np.array(rates)


@pytest.mark.data
def test_the_readings_of_dbn_pbm_and_ubm_agree_with_one_another(real: ParameterSet) -> None:
    # The six models were fitted to the same pages, so the same parameters read rightly give like click curves. DBN's
    # third number read as continuation instead of abandonment would leave no click below the first rank.
    pbm = np.mean([model.attraction * model.examination for model in real.pbm.values()], axis=0)
    dbn = np.mean([dbn_click_rates(model) for model in real.dbn.values()], axis=0)
    ubm = np.mean([ubm_click_rates(model.attraction, model.examination) for model in real.ubm.values()], axis=0)
    np.testing.assert_allclose(dbn, pbm, atol=0.035)
    np.testing.assert_allclose(ubm, pbm, atol=0.035)
