"""Result pages of fitted queries: every request is one of a few queries, with its documents as candidates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.logs.datasets.click_model_parameters import ClickModelParameters
from sojourn.records import Decision, Feedback, IntArray, Request
from sojourn.simulation.fitted_clicks import page_clicks


class QueryPages:
    """An `Environment` of queries, each as likely as the others, whose click model is known.

    Features are the one-hot code of the (query, document) pair, so that a linear model can be right: d = the number
    of documents over all queries, 600 for 60 queries of 10. Policies that keep a d x d matrix find that heavy (a dozen
    queries run some fifty times faster), which is why the queries are given rather than read from a file.
    Candidates come in the order of the parameters, the search engine's.

    Parameters
    ----------
    parameters
        Query id -> parameters of any of the six models; of one model, as a rule, but this is not required.
    n_slots
        Documents to show, 1 to the number on the shortest page.

    Raises
    ------
    InvalidInputError
        No query, or a number of slots that a page cannot fill or whose best slate cannot be found: for UBM 6 of 10
        documents at most.
    """

    def __init__(self, parameters: Mapping[str, ClickModelParameters], *, n_slots: int) -> None:
        if not parameters:
            raise InvalidInputError("parameters: expected at least one query, got none")
        self.queries = tuple(parameters)
        self._pages = [page_clicks(record) for record in parameters.values()]
        sizes = [len(page.attraction) for page in self._pages]
        if not 1 <= n_slots <= min(sizes):
            raise InvalidInputError(f"n_slots: expected 1 to {min(sizes)} (documents on a page), got {n_slots}")
        self.n_slots = n_slots
        self._first = np.concatenate([[0], np.cumsum(sizes)])  # code of each query's first document
        self._codes = np.arange(self._first[-1])
        self._features = np.eye(len(self._codes))
        self._features.flags.writeable = False  # requests hold views of it
        self._best = [page.best(n_slots) for page in self._pages]

    def request(self, *, rng: np.random.Generator) -> Request:
        """One of the queries; ``item_ids`` number the (query, document) pairs."""
        query = int(rng.integers(len(self.queries)))
        documents = slice(self._first[query], self._first[query + 1])
        return Request(
            request_id=f"{rng.integers(1 << 63):016x}",
            item_ids=self._codes[documents],
            features=self._features[documents],
            n_slots=self.n_slots,
        )

    def _query(self, request: Request) -> int:
        query = int(np.searchsorted(self._first, request.item_ids[0], side="right")) - 1
        if not np.array_equal(request.item_ids, self._codes[self._first[query] : self._first[query + 1]]):
            raise InvalidInputError(
                f"request: expected one that these pages made, got the candidates {request.item_ids}; "
                "choose among its candidates rather than change them"
            )
        return query

    def feedback(self, request: Request, decision: Decision, *, rng: np.random.Generator) -> Feedback:
        """Clicks by the generative story of the query's model; two uniforms are drawn for each slot."""
        click = self._pages[self._query(request)].click(decision.chosen, rng=rng)
        return Feedback(request_id=request.request_id, click=click)

    def expected_reward(self, request: Request, chosen: IntArray) -> float:
        """Expected clicks, exact, by a recursion down the page."""
        return float(self._pages[self._query(request)].expected_clicks(chosen[None])[0])

    def expected_set_reward(self, request: Request, chosen: IntArray) -> float:
        """Exact, by the same recursion over pages without a click."""
        return float(self._pages[self._query(request)].any_click(chosen[None])[0])

    def best_slate(self, request: Request) -> IntArray:
        """The slate with the most expected clicks, exact, found once for each query."""
        return self._best[self._query(request)]
