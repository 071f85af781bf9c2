"""What the deep recipes have in common; torch is imported when a policy is built, not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from sojourn.errors import InvalidInputError
from sojourn.interfaces import Explorer
from sojourn.policies import SlatePolicy
from sojourn.recipes.building import NO_CORRECTION, bandit
from sojourn.records import FieldLayout

if TYPE_CHECKING:
    from sojourn.models.deep import DeepClickRate
    from sojourn.models.deep.uncertainty.base import Uncertainty

Layout = FieldLayout | Mapping[str, Any]
"""A layout of fields, or the table that `FieldLayout.to_dict` gives; a file may leave out an ``item_id`` of none."""


class NetworkSettings(TypedDict, total=False):
    """What every deep recipe takes besides; all have a default.

    Parameters
    ----------
    layout
        What the columns of the features stand for; None: all are numbers.
    seed
        Of the network; 0 unless given.
    hidden
        Sizes of the layers behind the embedding; (64, 32).
    embedding_size
        Of each field of codes or marks, 8; numbers are taken as they are.
    block
        Rows collected before they are learned from, 1,024. Each full block is learned in 16 steps of Adam, so where
        pages are few, take a small one.
    """

    layout: Layout | None
    seed: int
    hidden: Sequence[int]
    embedding_size: int
    block: int


def deep_bandit(
    name: str,
    explorer: Explorer,
    uncertainty: Uncertainty | None = None,
    *,
    n_features: int,
    gate: bool = False,
    **network: Unpack[NetworkSettings],
) -> SlatePolicy:
    """The best slate under one network for all slots."""
    model = deep_click_rate(uncertainty, n_features=n_features, gate=gate, unknown_share=0.0, **network)
    return bandit(name, model, explorer, exposure=NO_CORRECTION, feature_map=None)


def deep_click_rate(
    uncertainty: Uncertainty | None,
    *,
    n_features: int,
    gate: bool,
    unknown_share: float,
    layout: Layout | None = None,
    seed: int = 0,
    hidden: Sequence[int] = (64, 32),
    embedding_size: int = 8,
    block: int = 1024,
) -> DeepClickRate:
    """A multi-layer perceptron on the embeddings of the fields."""
    from sojourn.models.deep import DeepClickRate, GatingUnit, StreamTraining
    from sojourn.models.deep.networks import MLP

    return DeepClickRate(
        layout=layout_of(layout, n_features),
        network=partial(MLP, embedding_size=embedding_size, hidden=tuple(hidden)),
        uncertainty=uncertainty,
        gate=GatingUnit() if gate else None,
        training=StreamTraining(block=block, unknown_share=unknown_share),
        seed=seed,
    )


def layout_of(layout: Layout | None, n_features: int) -> FieldLayout:
    """The layout, which must be as wide as the features.

    Raises
    ------
    InvalidInputError
        If it has another width, or is a table that says something else.
    """
    if layout is None:
        return FieldLayout.of_numbers(n_features)
    fields = layout if isinstance(layout, FieldLayout) else _from_table(layout)
    if fields.n_columns != n_features:
        raise InvalidInputError(
            f"layout: expected as many columns as there are features, {n_features}, got {fields.n_columns} "
            f"({', '.join(f'{field.name}: {field.width}' for field in fields.fields)})"
        )
    return fields


def expect_items(layout: Layout | None, recipe: str) -> None:
    """Refuse a layout that does not tell items apart."""
    table = layout.to_dict() if isinstance(layout, FieldLayout) else layout
    if not isinstance(table, Mapping) or table.get("item_id") is None:
        raise InvalidInputError(
            f"layout: expected one with an item_id, for {recipe} counts the impressions of each item, got "
            f"{'None' if layout is None else 'one without'}; put a code of the item into a column and say so, "
            'FieldLayout(fields=(Categorical("item", n_levels, "item"), ...), item_id="item"), or take ensemble_ts, '
            "which counts nothing"
        )


def _from_table(table: Mapping[str, Any]) -> FieldLayout:
    try:
        return FieldLayout.from_dict({"item_id": None, **table})
    except InvalidInputError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise InvalidInputError(
            'layout: expected a FieldLayout, or a table such as { item_id = "item", fields = [{ kind = "categorical", '
            'name = "item", n_levels = 100, belongs = "item" }, { kind = "numeric", name = "age" }] }, whose kinds are '
            f"categorical, multi_hot and numeric, got {table!r}: {error!r}"
        ) from error
