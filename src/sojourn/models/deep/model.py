"""A deep click model that learns from a stream, and what it does not know."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from sojourn.interfaces import ExposureCorrection
from sojourn.models.deep import storage
from sojourn.models.deep.assembly import Assembly
from sojourn.models.deep.device import device_of
from sojourn.models.deep.fitting import FitPlan, FitReport, fit_rows, split_log
from sojourn.models.deep.gate import GatingUnit
from sojourn.models.deep.networks import MLP, MakeNetwork
from sojourn.models.deep.packing import expect_clicks, packed_rows
from sojourn.models.deep.reading import Reading
from sojourn.models.deep.state_tensors import divided, joined
from sojourn.models.deep.steps import Learner
from sojourn.models.deep.training import StreamTraining
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.models.deep.window import unpacked
from sojourn.records import FieldLayout, LogBatch, Rows


class DeepClickRate(Reading):
    """Log-odds of a click by a network, and by how much they may be off.

    It is a `RewardModel` that speaks in log-odds, so every explorer and every `SlatePolicy` works on it; an
    `EmbeddingModel`, for exploration that moves the embedding; and a `ClickRateModel` for logs. Features are those of
    the candidates of one request, (m, d), or of n requests, (n, m, d); what is drawn is drawn anew for each request
    and shared by its candidates. Learning goes by blocks of rows, in the order in which they come.

    Parameters
    ----------
    layout
        What the columns of the features stand for.
    network
        Makes the network from the layout; ``functools.partial(MLP, hidden=(64, 32))`` gives other sizes. Any
        ``nn.Module`` with ``embed`` and ``from_embedding`` will do, see `ClickNetwork`.
    uncertainty
        How far the log-odds may be off; None: not at all, as far as anyone asks. The model works on a copy of it.
    gate
        The Dynamic Gating Unit, for explorers that ask for one. The model works on a copy of it.
    exposure
        Weighs rows by how surely they were seen, as `RowWeighting` does; for `fit` alone, since `update` is given
        rows. None: every shown item counts as seen.
    training
        How it learns from a stream.
    fitting
        How it is fitted to a log.
    device
        Where the network lives: ``"cpu"``, ``"cuda"``, ...
    seed
        Of the initial weights and of all that learning draws. The same seed, rows and machine give the same model.

    Attributes
    ----------
    network : nn.Module
        The network as it is now.
    uncertainty, gate
        The copies that learn along.
    fit_report : FitReport or None
        How the last `fit` went.
    """

    def __init__(
        self,
        *,
        layout: FieldLayout,
        network: MakeNetwork = MLP,
        uncertainty: Uncertainty | None = None,
        gate: GatingUnit | None = None,
        exposure: ExposureCorrection | None = None,
        training: StreamTraining = StreamTraining(),  # noqa: B008 - frozen
        fitting: FitPlan = FitPlan(),  # noqa: B008 - frozen
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        self.layout = layout
        self.exposure = exposure
        self.training = training
        self.fitting = fitting
        self.device = device_of(device)
        self.seed = seed
        self.fit_report: FitReport | None = None
        self._assembly = Assembly(
            layout=layout,
            network=network,
            uncertainty=uncertainty,
            gate=gate,
            training=training,
            device=self.device,
            seed=seed,
        )
        self._parts = self._assembly.parts()
        self._stream = self._assembly.stream(self._parts)

    def update(self, rows: Rows) -> None:
        """Collect rows, and learn whenever a block is full; rows of weight 0 count as absent.

        Raises
        ------
        InvalidInputError
            Features that do not keep to the layout, rewards outside [0, 1], or weights that are not finite.
        """
        self.layout.check(rows.features)
        expect_clicks(rows)
        self._stream.add(packed_rows(rows.features, rows.reward, rows.weight))

    def flush(self) -> None:
        """Learn from the rows that still wait for their block to fill."""
        self._stream.flush()

    @property
    def n_waiting(self) -> int:
        """Rows that wait for their block to fill."""
        return self._stream.n_waiting

    def fit(self, batch: LogBatch, *, progress: Callable[[int, int], None] | None = None) -> Self:
        """Learn a log from fresh weights, the rounds being in order of time; a stream may go on from there.

        The last rounds are held out and not learned from: after the epoch in which they went best, fitting goes back.
        ``progress`` is told (epochs done, epochs at most).

        Raises
        ------
        InvalidInputError
            Features that do not keep to the layout, or too few rounds to hold some out.
        LogError
            If nothing, or everything, was clicked.
        """
        self.layout.check(batch.features[batch.shown])
        packed = split_log(batch, self.exposure, self.fitting.validation_share)
        training, held_out = (torch.from_numpy(part).to(self.device) for part in packed)
        parts = self._assembly.parts()
        stream = self._assembly.stream(parts)
        learner = Learner(parts, self.fitting, generator=stream.learner.generator)
        self.fit_report = fit_rows(learner, unpacked(training), unpacked(held_out), self.fitting, progress=progress)
        stream.window.add(training)
        self._parts, self._stream = parts, stream
        return self

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned, and all that learning goes on from, as arrays to store."""
        stream = self._stream
        tensors = joined({"parts": self._parts.state(), "optimizer": stream.learner.state(), "stream": stream.state()})
        return {name: value.detach().cpu().numpy().copy() for name, value in tensors.items()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take over what `state` gave, into a model made with the same arguments; going on equals not having stopped.

        Raises
        ------
        InvalidInputError
            If names or shapes are those of another model.
        """
        given = divided({name: torch.from_numpy(np.array(value)) for name, value in state.items()})
        parts = self._assembly.parts()
        stream = self._assembly.stream(parts)
        parts.restore(given.get("parts", {}))
        stream.learner.restore(given.get("optimizer", {}))
        stream.restore(given.get("stream", {}))
        self._parts, self._stream = parts, stream

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A model that goes on by itself: what several parts share must be shared in the copy too, so it is rebuilt."""
        twin = copy(self)
        twin.restore(self.state())
        return twin

    def save(self, path: str | Path) -> None:
        """Write settings and state to one safetensors file, without pickle."""
        about = storage.About(
            layout=self.layout,
            training=self.training,
            fitting=self.fitting,
            gate=self.gate,
            seed=self.seed,
            network_name=type(self.network).__name__,
            uncertainty_name=type(self.uncertainty).__name__,
        )
        storage.write(Path(path), self.state(), about)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        network: MakeNetwork = MLP,
        uncertainty: Uncertainty | None = None,
        exposure: ExposureCorrection | None = None,
        device: str = "cpu",
    ) -> Self:
        """What `save` wrote, made anew with the network and the uncertainty that the stored model was made with.

        Raises
        ------
        InvalidInputError
            The file is missing, damaged or of another kind, or holds another network or uncertainty.
        """
        arrays, about = storage.read(Path(path))
        model = cls(
            layout=about.layout,
            network=network,
            uncertainty=uncertainty,
            gate=about.gate,
            exposure=exposure,
            training=about.training,
            fitting=about.fitting,
            device=device,
            seed=about.seed,
        )
        about.expect_made_with(model.network, model.uncertainty)
        model.restore(arrays)
        return model
