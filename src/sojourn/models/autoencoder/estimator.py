"""The denoising autoencoder that He et al. shorten their contexts with, as a scikit-learn transformer."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from sojourn.errors import InvalidInputError
from sojourn.models.autoencoder import storage
from sojourn.models.autoencoder.layers import Layers
from sojourn.records import FloatArray

_CONSTANT = 1e-9  # a unit that moves less than this over the rows says nothing


class DenoisingAutoencoder(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]  # scikit-learn has no types
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """Codes rows by a hidden layer of a network that learns to restore them from a noisy copy.

    The network is that of He et al. ("How to remove pseudo exposure from mobile e-commerce platforms"): from d columns
    to 25, 10, 10, 25 and back to d; ReLU; squared error; input ``.95 x + .05 noise``, noise uniform in [0, 1]; and as
    the new context the output of the second hidden layer, 10 numbers >= 0. Our own: a linear output layer, Adam with
    early stopping, and initial values that keep the code alive. ``transform`` codes rows without noise.

    Parameters
    ----------
    hidden
        Sizes of the hidden layers, from the input on.
    code_layer
        The hidden layer whose output is the code; 1 is the first.
    corruption
        Share of noise in the input, in [0, 1).
    learning_rate
        Step size of Adam, > 0.
    batch_size
        Rows of a step.
    max_epochs
        Passes over the rows at most.
    patience
        Training stops after this many epochs without improvement, and goes back to the best one.
    tolerance
        An improvement lowers the held-out error by more than this share of it, in [0, 1).
    validation_share
        Share of the rows that is held out to see it, in (0, 1).
    scale
        True to bring each column to [0, 1] by its smallest and largest value, since the noise is made for that range;
        rows met later may lie outside. False to take columns as they are, which must then lie in [0, 1].
    seed
        Seed of the initial values, the split, the order of the rows and the noise. The same seed, rows and machine
        give the same code. torch's global generator is not touched, and one thread does the work: a small network
        gains nothing from more, and on a busy machine threads that wait for one another lose a lot.

    Attributes
    ----------
    layers_ : Layers
        The network.
    loss_curve_ : (epochs,) float
        Held-out mean squared error after each epoch, of scaled columns.
    live_code_ : (code,) bool
        False where the code is the same for all rows that were fitted. `fit` warns if this is so for most.
    data_min_, data_range_ : (d,) float
        Taken from a column, and divided by, before it enters the network.
    n_features_in_, feature_names_in_
        As in all of scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).random((200, 6))
    >>> coder = DenoisingAutoencoder(hidden=(8, 3, 8), max_epochs=5)
    >>> coder.fit_transform(rows).shape
    (200, 3)
    """

    def __init__(
        self,
        *,
        hidden: tuple[int, ...] = (25, 10, 10, 25),
        code_layer: int = 2,
        corruption: float = 0.05,
        learning_rate: float = 3e-3,
        batch_size: int = 256,
        max_epochs: int = 100,
        patience: int = 10,
        tolerance: float = 1e-3,
        validation_share: float = 0.1,
        scale: bool = True,
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.code_layer = code_layer
        self.corruption = corruption
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.tolerance = tolerance
        self.validation_share = validation_share
        self.scale = scale
        self.seed = seed

    def fit(self, X: ArrayLike, y: None = None, *, progress: Callable[[int, int], None] | None = None) -> Self:
        """Learn to restore the rows of X (n, d), n >= 2.

        ``progress`` is told (epochs done, epochs at most).

        Raises
        ------
        InvalidInputError
            A parameter or X is out of range, X holds NaN or infinity, or training diverges.
        MissingExtraError
            torch is not installed.
        """
        self._check_parameters()
        from sojourn.models.autoencoder.training import TrainingPlan, train  # torch takes seconds to load

        rows = self._checked(X, reset=True)
        self._set_scale(rows)
        settings = {field.name: getattr(self, field.name) for field in fields(TrainingPlan)}
        plan = TrainingPlan(**settings | {"hidden": tuple(self.hidden)})
        self.layers_, curve = train(self._scaled(rows), plan, progress=progress)
        self.loss_curve_: FloatArray = np.array(curve)
        self.live_code_ = np.ptp(self._code(rows), axis=0) > _CONSTANT
        self._warn_of_a_dead_code()
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """(n, code) the code of each row, >= 0."""
        check_is_fitted(self)
        return self._code(self._checked(X, reset=False))

    def inverse_transform(self, X: ArrayLike) -> FloatArray:
        """(n, d) the rows that the network makes of codes X (n, code)."""
        check_is_fitted(self)
        code = _validated(lambda: check_array(X, dtype=np.float64, input_name="X"))
        if code.shape[1] != len(self.live_code_):
            raise InvalidInputError(f"X: expected {len(self.live_code_)} columns (the code), got {code.shape[1]}")
        restored = self.layers_.through(code, self.code_layer, len(self.layers_.weights))
        return restored * self.data_range_ + self.data_min_

    def save(self, path: str | Path) -> None:
        """Write everything that was learned to one file, without pickle."""
        check_is_fitted(self)
        arrays = {"data_min": self.data_min_, "data_range": self.data_range_}
        arrays |= {"loss_curve": self.loss_curve_, "live_code": self.live_code_}
        arrays |= {f"weight_{i}": weight for i, weight in enumerate(self.layers_.weights)}
        arrays |= {f"bias_{i}": bias for i, bias in enumerate(self.layers_.biases)}
        names = getattr(self, "feature_names_in_", None)
        about = {"parameters": self.get_params(), "feature_names": None if names is None else names.tolist()}
        storage.write(Path(path), arrays, about)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """What `save` wrote; it codes exactly alike, and needs no torch.

        Raises
        ------
        InvalidInputError
            The file is missing, damaged or of another kind.
        """
        arrays, about = storage.read(Path(path))
        parameters = about["parameters"]
        coder = cls(**parameters | {"hidden": tuple(parameters["hidden"])})
        coder.data_min_, coder.data_range_ = arrays["data_min"], arrays["data_range"]
        coder.loss_curve_, coder.live_code_ = arrays["loss_curve"], arrays["live_code"]
        n_layers = len(coder.hidden) + 1
        coder.layers_ = Layers(
            weights=tuple(arrays[f"weight_{i}"] for i in range(n_layers)),
            biases=tuple(arrays[f"bias_{i}"] for i in range(n_layers)),
        )
        coder.n_features_in_ = len(coder.data_min_)
        if about["feature_names"] is not None:
            coder.feature_names_in_ = np.array(about["feature_names"], dtype=object)
        return coder

    @property
    def _n_features_out(self) -> int:
        return len(self.live_code_)

    def _check_parameters(self) -> None:
        n_hidden = len(self.hidden)
        rules = (
            ("hidden", n_hidden > 0 and min(self.hidden) >= 1, "at least one size, each at least 1"),
            ("code_layer", 1 <= self.code_layer <= n_hidden, f"1 to {n_hidden}, a hidden layer"),
            ("corruption", 0.0 <= self.corruption < 1.0, "a share in [0, 1)"),
            ("learning_rate", self.learning_rate > 0.0, "> 0"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("max_epochs", self.max_epochs >= 1, "at least 1"),
            ("patience", self.patience >= 1, "at least 1"),
            ("tolerance", 0.0 <= self.tolerance < 1.0, "a share in [0, 1)"),
            ("validation_share", 0.0 < self.validation_share < 1.0, "a share in (0, 1)"),
            ("seed", self.seed >= 0, "at least 0"),
        )
        for name, holds, expected in rules:
            if not holds:
                raise InvalidInputError(f"{name}: expected {expected}, got {getattr(self, name)!r}")

    def _checked(self, X: ArrayLike, *, reset: bool) -> FloatArray:
        least = 2 if reset else 1
        return _validated(lambda: validate_data(self, X, reset=reset, dtype=np.float64, ensure_min_samples=least))

    def _set_scale(self, rows: FloatArray) -> None:
        low, span = rows.min(axis=0), np.ptp(rows, axis=0)
        if not self.scale and (low.min() < 0.0 or rows.max() > 1.0):
            raise InvalidInputError(
                f"X: expected columns in [0, 1], got {low.min():.6g} to {rows.max():.6g}; set scale=True"
            )
        self.data_min_: FloatArray = low if self.scale else np.zeros_like(low)
        self.data_range_: FloatArray = np.where(span > 0.0, span, 1.0) if self.scale else np.ones_like(span)

    def _scaled(self, rows: FloatArray) -> FloatArray:
        return (rows - self.data_min_) / self.data_range_

    def _code(self, rows: FloatArray) -> FloatArray:
        return self.layers_.through(self._scaled(rows), 0, self.code_layer)

    def _warn_of_a_dead_code(self) -> None:
        n_dead, n_units = int((~self.live_code_).sum()), len(self.live_code_)
        if n_dead > n_units / 2:
            warnings.warn(
                f"{n_dead} of the {n_units} units of the code are the same for all rows; take a smaller learning_rate, "
                "another seed or wider layers, and see that the columns of X vary",
                stacklevel=3,
            )


def _validated(check: Callable[[], FloatArray]) -> FloatArray:
    """What scikit-learn's check gives, its refusal raised as ours; the message is scikit-learn's."""
    try:
        return check()
    except ValueError as error:
        raise InvalidInputError(str(error)) from error
