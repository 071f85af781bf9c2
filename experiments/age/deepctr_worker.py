"""Fits DeepCTR-Torch's DeepFM: ``python -m experiments.age.deepctr_worker SETTINGS IN OUT``.

It runs in the peers' environment, so it imports nothing of Sojourn. SETTINGS is JSON: ``learning_rate``, ``size``,
``dropout``, ``penalty``, ``epochs``, ``seed``, ``hidden``, ``batch_size``. IN is a NumPy archive of codes ``learned``
(r, f) and ``judged`` (n, f) with ``n_levels`` (f,), of lists ``learned_marks`` (r, l) and ``judged_marks`` (n, l) of
one more field with levels 1 to ``n_marks`` (0 fills a list up), and of ``click`` (r,). OUT gets the click rates after
each epoch, (epochs, n).
"""

# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import torch
from deepctr_torch.inputs import SparseFeat, VarLenSparseFeat
from deepctr_torch.models import DeepFM


def columns(days: Any, size: int) -> list[Any]:
    """The fields as DeepCTR-Torch has them; marks are summed up, as Sojourn's networks do."""
    codes = [SparseFeat(f"field {i}", int(n), embedding_dim=size) for i, n in enumerate(days["n_levels"])]
    marks = SparseFeat("marks", int(days["n_marks"]) + 1, embedding_dim=size)
    return [*codes, VarLenSparseFeat(marks, maxlen=days["learned_marks"].shape[1], combiner="sum")]


def inputs(days: Any, part: str) -> dict[str, Any]:
    """Name of a field -> its values."""
    codes = days[part]
    return {f"field {i}": codes[:, i] for i in range(codes.shape[1])} | {"marks": days[f"{part}_marks"]}


def main() -> None:
    """Fit, judge after each epoch, and save."""
    how, source, target = json.loads(sys.argv[1]), *sys.argv[2:]
    torch.set_num_threads(1)
    days = np.load(source)
    fields = columns(days, how["size"])
    model = DeepFM(
        fields,
        fields,
        dnn_hidden_units=how["hidden"],
        dnn_dropout=how["dropout"],
        l2_reg_embedding=how["penalty"],
        l2_reg_linear=how["penalty"],
        seed=how["seed"],
    )
    model.compile(torch.optim.Adam(model.parameters(), lr=how["learning_rate"]), "binary_crossentropy")
    learned, judged, click = inputs(days, "learned"), inputs(days, "judged"), days["click"]
    rates = []
    for _ in range(how["epochs"]):
        model.fit(learned, click, batch_size=how["batch_size"], epochs=1, verbose=0)
        rates.append(model.predict(judged, batch_size=4_096)[:, 0])
    np.save(target, np.array(rates, dtype=np.float64))


if __name__ == "__main__":
    main()
