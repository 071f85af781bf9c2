"""A fitted model: the vector of its parameters, and what each of them belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.exposure.survival.answers import Answers
from sojourn.exposure.survival.description import Described, Features, Items, Vocabulary
from sojourn.exposure.survival.layout import Layout
from sojourn.exposure.survival.objective import Objective
from sojourn.exposure.survival.pages import Pages
from sojourn.exposure.survival.structure import Structure
from sojourn.records import NO_ITEM, FloatArray, LogBatch


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fitted:
    """Parameters by name are those of `Layout`.

    Parameters
    ----------
    layout
    vector : (size,) float
    items
        The items that have slopes, for a model of items.
    sessions
        The sessions that have an effect.
    """

    layout: Layout
    vector: FloatArray
    items: Vocabulary
    sessions: Vocabulary

    @classmethod
    def before(cls, structure: Structure, pages: Pages) -> Fitted:
        """A model for what ``pages`` hold, with its parameters where a fit starts."""
        by_item = structure.attraction == "item"
        items = Vocabulary(np.unique(pages.item[pages.shown]) if by_item else np.empty(0, dtype=np.int64))
        sessions = Vocabulary(
            np.unique(pages.session) if "session" in structure.hazard else np.empty(0, dtype=np.int64)
        )
        layout = Layout(
            structure,
            width=len(items.codes) if by_item else pages.features.shape[2],
            n_slots=pages.n_slots,
            n_sessions=len(sessions.codes),
        )
        top = pages.shown.any(axis=1).argmax()
        rate = (pages.click[top].sum() + 0.5) / (pages.shown[top].sum() + 1.0)
        return cls(layout=layout, vector=layout.start(attraction=float(rate)), items=items, sessions=sessions)

    def pages(self, batch: LogBatch) -> Pages:
        """The pages of a batch and their clicks; an error if their features are not such as were learned from."""
        by_item = self.layout.structure.attraction == "item"
        if not by_item:
            self.check_width(batch.features)
        return Pages.of(batch, with_features=not by_item)

    def check_width(self, features: FloatArray) -> None:
        """Refuse feature rows of another width than those learned from."""
        if features.shape[-1] != self.layout.width:
            raise InvalidInputError(
                f"features: expected rows of width {self.layout.width}, as in fit, got {features.shape[-1]}"
            )

    def described(self, pages: Pages) -> Described:
        """The pages as x."""
        return Items(pages, self.items) if self.layout.structure.attraction == "item" else Features(pages)

    def objective(self, pages: Pages, described: Described) -> Objective:
        """The log-likelihood of the pages."""
        return Objective(self.layout, pages=pages, described=described, session=self.sessions.row(pages.session))

    def answers(self, pages: Pages) -> Answers:
        """What the model says of the pages before any click."""
        session = self.sessions.row(pages.session)
        return Answers.of(self.layout, self.vector, pages=pages, described=self.described(pages), session=session)

    def answers_of(self, features: FloatArray, *, slot: int) -> Answers:
        """What the model says of feature rows (m, d), each alone on a page at ``slot``."""
        if features.ndim != 2:
            raise InvalidInputError(f"features: expected an array of shape (m, d), got {features.shape}")
        n = len(features)
        position = np.full((n, 1), slot)
        alone = LogBatch(
            item=np.zeros((n, 1), dtype=np.int64),
            features=features[:, None],
            click=np.zeros((n, 1)),
            reward=np.zeros((n, 1)),
            position=position,
            session=np.full(n, NO_ITEM),
            step=np.zeros(n, dtype=np.int64),
        )
        return self.answers(self.pages(alone))

    def at(self, vector: FloatArray) -> Fitted:
        """The same model with other parameters."""
        return replace(self, vector=vector)

    def carried_over(self, earlier: Fitted) -> FloatArray:
        """The vector to go on from: what ``earlier`` knew of the same items, sessions and ranks, else 0."""
        vector = self.vector.copy()
        old, new = earlier.layout.split(earlier.vector), self.layout.split(vector)
        item, session = earlier.items.row(self.items.codes), earlier.sessions.row(self.sessions.codes)
        for name, values in new.items():
            if name == "session":
                values[...] = np.append(old[name], 0.0)[session]
            elif name in {"theta", "phi", "chi"} and self.layout.structure.attraction == "item" and values.size:
                values[...] = np.append(old[name], 0.0)[item]
            elif old[name].size and values.size:
                values[...] = old[name].take(np.arange(values.size), mode="clip")
        return vector
