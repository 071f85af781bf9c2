from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sojourn.errors import LogError
from sojourn.logs import Candidates, FeatureEncoder, Log, rounds

SLOTS = pl.DataFrame(
    {
        "request_id": ["a", "a", "b"],
        "session_id": ["s", "s", "s"],
        "item_id": [10, 20, 30],
        "position": [0, 1, 2],
        "click": [0, 1, 0],
        "x_hour": [1, 1, 3],
    }
)
ITEMS = pl.DataFrame({"item_id": [40, 30, 20, 10], "price": [4.0, 3.0, 2.0, 1.0]})
REQUESTS = pl.DataFrame({"request_id": ["b", "a"], "candidates": [[10, 30], [20, 40, 10]]})
LOG = Log.from_frame(SLOTS, items=ITEMS, requests=REQUESTS)
ENCODER = FeatureEncoder.fit(LOG)  # prices shown are 1, 2, 3
EXPECTED: dict[Candidates, list[tuple[list[int], list[int]]]] = {
    "shown": [([10, 20], [0, 1]), ([30], [0])],
    "catalogue": [([40, 30, 20, 10], [3, 2]), ([40, 30, 20, 10], [1])],
    "requests": [([20, 40, 10], [2, 0]), ([10, 30], [1])],
}


@pytest.mark.parametrize("candidates", ["shown", "catalogue", "requests"])
def test_requests_as_they_stood(candidates: Candidates) -> None:
    encoded = LOG.to_batch(ENCODER)
    for i, (request, chosen) in enumerate(rounds(encoded, candidates)):
        ids, rows = EXPECTED[candidates][i]
        assert request.request_id == "ab"[i]
        assert request.session_id == "s"
        assert request.step == [0, 2][i]
        assert request.first_position == [0, 2][i]
        assert request.n_slots == len(rows)
        assert encoded.item_ids[request.item_ids].tolist() == ids
        assert chosen.tolist() == rows
        np.testing.assert_allclose(request.features, ENCODER.pairs({"x_hour": [1, 3][i]}, ids))
        np.testing.assert_array_equal(request.features[chosen], encoded.batch.features[i, : len(rows)])
    assert i == 1


@pytest.mark.parametrize("candidates", ["shown", "catalogue", "requests"])
def test_without_an_encoder_there_are_no_features(candidates: Candidates) -> None:
    assert [len(chosen) for _, chosen in rounds(LOG.to_batch(), candidates)] == [2, 1]
    assert all(request.features.shape[1] == 0 for request, _ in rounds(LOG.to_batch(), candidates))


def test_items_that_are_new_in_the_test_log_have_their_features() -> None:
    frame = pl.DataFrame({"request_id": ["c"], "item_id": [50], "position": [0], "click": [1], "x_hour": [2]})
    log = Log.from_frame(frame, items=pl.DataFrame({"item_id": [50], "price": [2.0]}))
    encoded = log.to_batch(ENCODER, item_ids=LOG.to_batch().item_ids)
    assert encoded.item_ids.tolist() == [40, 30, 20, 10, 50]
    ((request, chosen),) = rounds(encoded, "catalogue")
    np.testing.assert_array_equal(request.features[chosen[0]], encoder_row(log))


def encoder_row(log: Log) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    row: np.ndarray[tuple[int], np.dtype[np.float64]] = ENCODER.rows(log)[0]
    return row


def test_features_of_pairs_are_known_of_shown_items_alone() -> None:
    log = Log.from_frame(SLOTS.with_columns(x_match=pl.Series([0.1, 0.2, 0.3]), item_id=pl.Series([10, 20, 10])))
    encoded = log.to_batch(FeatureEncoder.fit(log))
    shown = [request.features for request, _ in rounds(encoded, "shown")]
    np.testing.assert_array_equal(shown[0], encoded.batch.features[0])
    with pytest.raises(LogError, match="x_match: expected columns that tell of the request or of the item"):
        rounds(encoded, "catalogue")


def test_lists_must_be_there() -> None:
    with pytest.raises(LogError, match="expected a log with a table of requests"):
        rounds(Log.from_frame(SLOTS).to_batch(), "requests")
    with pytest.raises(LogError, match="a list for each request, 'b' has none"):
        rounds(Log.from_frame(SLOTS, requests=REQUESTS[1:]).to_batch(), "requests")


def test_a_large_log_agrees_with_its_rows(rng: np.random.Generator) -> None:
    n, k, m = 200, 3, 12
    shown = np.argsort(rng.random((n, m)), axis=1)[:, :k]
    lists = [rng.permutation(m).tolist() for _ in range(n)]
    frame = pl.DataFrame(
        {
            "request_id": np.repeat(np.arange(n), k),
            "item_id": shown.ravel(),
            "position": np.tile(np.arange(k), n),
            "click": rng.integers(0, 2, n * k),
        }
    )
    log = Log.from_frame(frame, requests=pl.DataFrame({"request_id": range(n), "candidates": lists}))
    encoded = log.to_batch()
    for i, (request, chosen) in enumerate(rounds(encoded, "requests")):
        assert encoded.item_ids[request.item_ids].tolist() == lists[i]
        assert [lists[i][row] for row in chosen] == shown[i].tolist()
