from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import estimator_checks_generator

from sojourn.errors import InvalidInputError
from sojourn.models.autoencoder import DenoisingAutoencoder, storage
from sojourn.models.autoencoder.training import _initial
from sojourn.records import FloatArray
from sojourn.simulation.shop_catalogue import ShopCatalogue


def _contexts(n_rows: int, seed: int = 0) -> FloatArray:
    catalogue = ShopCatalogue(n_items=900, rng=np.random.default_rng(0))
    return catalogue.sample(n_rows, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def fitted() -> DenoisingAutoencoder:
    return DenoisingAutoencoder(hidden=(12, 4, 12), max_epochs=20).fit(_contexts(600))


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


# "check_array_api_input" runs only under an environment variable that switches on SciPy's array API.
@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=check.func.__name__)
        for estimator, check in estimator_checks_generator(DenoisingAutoencoder(hidden=(4, 2, 4), max_epochs=2))
        if check.func.__name__ != "check_array_api_input"
    ],
)
def test_it_is_a_scikit_learn_transformer(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_the_network_is_the_published_one() -> None:
    coder = DenoisingAutoencoder(max_epochs=1).fit(_contexts(300))
    assert [weight.shape for weight in coder.layers_.weights] == [(56, 25), (25, 10), (10, 10), (10, 25), (25, 56)]
    assert coder.corruption == 0.05
    assert coder.transform(_contexts(5)).shape == (5, 10)


def test_the_code_is_the_layer_after_its_relu(fitted: DenoisingAutoencoder) -> None:
    rows = _contexts(50, seed=3)
    lowest, highest = _contexts(600).min(axis=0), _contexts(600).max(axis=0)
    activations = (rows - lowest) / (highest - lowest)
    outputs = []
    for weight, bias in zip(fitted.layers_.weights, fitted.layers_.biases, strict=True):
        outputs.append(activations @ weight + bias)
        activations = np.maximum(outputs[-1], 0.0)
    code = fitted.transform(rows)
    np.testing.assert_allclose(code, np.maximum(outputs[1], 0.0))
    np.testing.assert_allclose(fitted.inverse_transform(code), outputs[3] * (highest - lowest) + lowest)


def test_any_layer_can_be_the_code() -> None:
    rows = _contexts(100)
    for layer, width in ((1, 7), (2, 3), (3, 5)):
        coder = DenoisingAutoencoder(hidden=(7, 3, 5), code_layer=layer, max_epochs=1).fit(rows)
        assert coder.inverse_transform(coder.transform(rows)).shape == rows.shape
        assert coder.get_feature_names_out().tolist() == [f"denoisingautoencoder{j}" for j in range(width)]


def test_it_restores_curved_data_better_than_principal_components(rng: np.random.Generator) -> None:
    angle = rng.uniform(0.0, 2.0 * np.pi, size=3_000)
    rows = np.column_stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle), np.cos(angle) ** 3])
    coder = DenoisingAutoencoder(hidden=(25, 2, 25), batch_size=64, max_epochs=40, corruption=0.0).fit(rows[:2_000])
    new = rows[2_000:]
    components = PCA(2).fit(rows[:2_000])
    linear = np.mean((components.inverse_transform(components.transform(new)) - new) ** 2)
    error = np.mean((coder.inverse_transform(coder.transform(new)) - new) ** 2)
    assert error < 0.25 * linear < 0.25 * np.var(new, axis=0).mean()


def test_it_restores_contexts_from_ten_numbers() -> None:
    rows, new = _contexts(4_000), _contexts(1_000, seed=1)
    coder = DenoisingAutoencoder(batch_size=128, max_epochs=25).fit(rows)
    lowest, spread = coder.data_min_, coder.data_range_
    error = np.mean(((coder.inverse_transform(coder.transform(new)) - new) / spread) ** 2)
    components = PCA(10).fit((rows - lowest) / spread)
    scaled = (new - lowest) / spread
    linear = np.mean((components.inverse_transform(components.transform(scaled)) - scaled) ** 2)
    assert error < linear < 0.2 * scaled.var(axis=0).mean()
    assert coder.live_code_.all()


def test_noise_in_training_makes_noise_in_the_input_harmless(rng: np.random.Generator) -> None:
    hidden = rng.random((2_000, 2))
    rows = np.hstack([hidden @ rng.random((2, 20)) for _ in range(2)])

    def noisy_error(corruption: float) -> float:
        coder = DenoisingAutoencoder(hidden=(16, 8, 16), corruption=corruption, max_epochs=30).fit(rows)
        noise = coder.data_min_ + coder.data_range_ * np.random.default_rng(1).random(rows.shape)
        restored = coder.inverse_transform(coder.transform(0.7 * rows + 0.3 * noise))
        return float(np.mean(((restored - rows) / coder.data_range_) ** 2))

    assert noisy_error(0.3) < 0.7 * noisy_error(0.0)


def test_initial_values_keep_every_unit_open_for_most_rows() -> None:
    rows = _contexts(1_000)
    scaled = torch.from_numpy((rows - rows.min(axis=0)) / np.ptp(rows, axis=0)).to(torch.float32)
    for seed in range(10):
        activations = scaled
        parameters = _initial(scaled, (25, 10, 10, 25), torch.Generator().manual_seed(seed))
        for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
            activations = torch.relu(activations @ weight + bias).detach()
            assert (activations > 0).float().mean(dim=0).min() > 0.5
        restored = activations @ parameters[-2] + parameters[-1]
        torch.testing.assert_close(restored.mean(dim=0), scaled.mean(dim=0), atol=1e-4, rtol=0.0)


def test_a_code_that_says_nothing_is_told() -> None:
    with pytest.warns(UserWarning, match="3 of the 3 units of the code are the same for all rows"):
        coder = DenoisingAutoencoder(hidden=(4, 3, 4), max_epochs=1).fit(np.ones((20, 5)))
    assert not coder.live_code_.any()
    np.testing.assert_allclose(coder.inverse_transform(coder.transform(np.ones((2, 5)))), 1.0, atol=0.05)


def test_the_same_seed_gives_the_same_code(fitted: DenoisingAutoencoder) -> None:
    rows = _contexts(600)
    code = fitted.transform(rows)
    np.testing.assert_array_equal(clone(fitted).fit(rows).transform(rows), code)
    assert not np.array_equal(clone(fitted).set_params(seed=1).fit(rows).transform(rows), code)


def test_torch_is_left_as_it_was_found() -> None:
    state, n_threads = torch.get_rng_state(), torch.get_num_threads()
    rows = _contexts(60)
    wanted = DenoisingAutoencoder(max_epochs=2).fit_transform(rows)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == n_threads
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            np.testing.assert_array_equal(DenoisingAutoencoder(max_epochs=2).fit_transform(rows), wanted)
    finally:
        torch.set_default_dtype(torch.float32)


def test_training_stops_early_and_keeps_its_best_epoch() -> None:
    rows = _contexts(400)
    told: list[tuple[int, int]] = []
    coder = DenoisingAutoencoder(max_epochs=60, patience=2, tolerance=0.05)
    coder.fit(rows, progress=lambda done, total: told.append((done, total)))
    n_epochs = len(coder.loss_curve_)
    assert n_epochs < 60
    assert told == [(done, 60) for done in range(1, n_epochs + 1)]
    held_out = torch.randperm(400, generator=torch.Generator().manual_seed(0))[:40].numpy()
    restored = coder.inverse_transform(coder.transform(rows[held_out]))
    error = np.mean(((restored - rows[held_out]) / coder.data_range_) ** 2)
    assert error == pytest.approx(coder.loss_curve_[-1 - 2], rel=1e-4)


def test_a_saved_coder_codes_exactly_alike(fitted: DenoisingAutoencoder, tmp_path: Path) -> None:
    fitted.save(tmp_path / "coder")
    loaded = DenoisingAutoencoder.load(str(tmp_path / "coder"))
    rows = _contexts(20, seed=9)
    np.testing.assert_array_equal(loaded.transform(rows), fitted.transform(rows))
    np.testing.assert_array_equal(loaded.inverse_transform(np.eye(4)), fitted.inverse_transform(np.eye(4)))
    np.testing.assert_array_equal(loaded.loss_curve_, fitted.loss_curve_)
    np.testing.assert_array_equal(loaded.live_code_, fitted.live_code_)
    assert loaded.get_params() == fitted.get_params()
    assert loaded.n_features_in_ == 56


def test_columns_keep_their_names(tmp_path: Path) -> None:
    frame = pl.DataFrame(_contexts(50)[:, :3], schema=["price", "sales", "stock"])
    coder = DenoisingAutoencoder(hidden=(4, 2, 4), max_epochs=1).set_output(transform="polars").fit(frame)
    assert coder.transform(frame).columns == ["denoisingautoencoder0", "denoisingautoencoder1"]
    coder.save(tmp_path / "coder.npz")
    loaded = DenoisingAutoencoder.load(tmp_path / "coder.npz")
    assert loaded.feature_names_in_.tolist() == ["price", "sales", "stock"]
    with pytest.raises(InvalidInputError, match="feature names"):
        loaded.transform(frame.rename({"stock": "rating"}))


@pytest.mark.parametrize("content", [None, b"", b"no archive at all", "cut", "other"])
def test_a_damaged_file_is_refused(fitted: DenoisingAutoencoder, tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "coder.npz"
    if content == "cut":
        fitted.save(path)
        path.write_bytes(path.read_bytes()[:-100])
    elif content == "other":
        np.savez(path, about=np.array(json.dumps({"format": "another"})))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"coder\.npz: expected a file that DenoisingAutoencoder\.save wrote"):
        DenoisingAutoencoder.load(path)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "coder.npz", about=np.array([{"format": storage.FORMAT}], dtype=object))
    with pytest.raises(InvalidInputError, match="allow_pickle=False"):
        DenoisingAutoencoder.load(tmp_path / "coder.npz")


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": ()},
        {"hidden": (4, 0)},
        {"code_layer": 0},
        {"code_layer": 5},
        {"corruption": 1.0},
        {"corruption": float("nan")},
        {"learning_rate": 0.0},
        {"batch_size": 0},
        {"max_epochs": 0},
        {"patience": 0},
        {"tolerance": -0.1},
        {"validation_share": 1.0},
        {"seed": -1},
    ],
)
def test_bad_parameters_are_refused_by_fit(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=f"^{next(iter(settings))}: expected"):
        DenoisingAutoencoder(**settings).fit(np.zeros((4, 3)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.ones((1, 5)), "minimum of 2"),
        (np.full((9, 5), np.nan), "contains NaN"),
        (np.full((9, 5), np.inf), "contains infinity"),
        (np.ones(9), "Expected 2D array"),
        (np.ones((9, 0)), "0 feature"),
    ],
)
def test_bad_rows_are_refused(rows: FloatArray, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        DenoisingAutoencoder().fit(rows)


def test_bad_rows_are_refused_after_fitting(fitted: DenoisingAutoencoder) -> None:
    with pytest.raises(InvalidInputError, match=r"X has 3 features.*expecting 56"):
        fitted.transform(np.ones((2, 3)))
    with pytest.raises(InvalidInputError, match=r"expected 4 columns \(the code\), got 3"):
        fitted.inverse_transform(np.ones((2, 3)))
    with pytest.raises(InvalidInputError, match="contains NaN"):
        fitted.inverse_transform(np.full((2, 4), np.nan))


def test_without_scaling_columns_must_lie_in_the_unit_interval(rng: np.random.Generator) -> None:
    rows = rng.random((50, 4))
    coder = DenoisingAutoencoder(hidden=(4, 2, 4), max_epochs=1, scale=False).fit(rows)
    np.testing.assert_array_equal(coder.data_range_, 1.0)
    with pytest.raises(InvalidInputError, match="set scale=True"):
        coder.fit(2.0 * rows)


def test_training_that_diverges_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="learning_rate: the reconstruction error became"):
        DenoisingAutoencoder(learning_rate=1e30).fit(_contexts(300))


@pytest.mark.parametrize("method", ["transform", "inverse_transform", "save"])
def test_before_fit_nothing_is_known(method: str, tmp_path: Path) -> None:
    argument = tmp_path / "coder" if method == "save" else np.ones((2, 3))
    with pytest.raises(NotFittedError):
        getattr(DenoisingAutoencoder(), method)(argument)


def test_the_room_does_not_load_it() -> None:
    assert _python("import sojourn.models, sys\nprint({'torch', 'sklearn'} & set(sys.modules))") == "set()"


@pytest.mark.parametrize(("module", "package"), [("sklearn", "scikit-learn"), ("torch", "torch")])
def test_a_missing_extra_is_told(module: str, package: str) -> None:
    said = _python(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == '{module}': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from sojourn.errors import MissingExtraError\n"
        "try:\n"
        "    from sojourn.models.autoencoder import DenoisingAutoencoder\n"
        "    DenoisingAutoencoder().fit([[0.0], [1.0]])\n"
        "except MissingExtraError as error: print(error)"
    )
    assert said == f"this needs {package}, which is not installed: pip install 'sojourn[torch]'"


def test_a_fitted_coder_needs_no_torch(fitted: DenoisingAutoencoder, tmp_path: Path) -> None:
    fitted.save(tmp_path / "coder.npz")
    said = _python(
        "import sys\n"
        "from sojourn.models.autoencoder import DenoisingAutoencoder\n"
        f"code = DenoisingAutoencoder.load({str(tmp_path / 'coder.npz')!r}).transform([[1.0] * 56])\n"
        "print(code.sum(), 'torch' in sys.modules)"
    )
    total, loaded = said.split()
    assert float(total) == pytest.approx(fitted.transform(np.ones((1, 56))).sum(), rel=1e-12)
    assert loaded == "False"


def test_a_healthy_fit_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DenoisingAutoencoder(max_epochs=3).fit(_contexts(300))
