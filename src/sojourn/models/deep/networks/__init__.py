"""Networks that split into an embedding and what is made of it.

Take `MLP` to begin with, `DeepFM` or `DCNv2` where pairs of fields matter. All are made from a layout; settings are
bound beforehand:

>>> from functools import partial
>>> from sojourn.records import Categorical, FieldLayout, MultiHot
>>> layout = FieldLayout(fields=(MultiHot("interests", 136), Categorical("item", 500, "item")), item_id="item")
>>> make = partial(MLP, hidden=(64, 32), base_rate=0.04)
>>> make(layout).item_columns
slice(8, 16, None)

A network of one's own adds to a `FieldEmbedding` what is to be made of it; so it is a `MakeNetwork` itself:

>>> from torch import nn
>>> class Bilinear(FieldNetwork):
...     def __init__(self, layout):
...         super().__init__(FieldEmbedding(layout, size=4))
...         self.taste = nn.Linear(4, 4)
...
...     def from_embedding(self, embedding):
...         person, item = embedding.split(4, dim=-1)
...         return (self.taste(person) * item).sum(-1)
>>> list(head_parameters(Bilinear(layout), layout))
['taste.weight', 'taste.bias']

Any other ``nn.Module`` with `embed` and `from_embedding` will do (`ClickNetwork`). `layer_pass` gives what the
gradients of each row are made of, in one pass each way.
"""

from __future__ import annotations

from sojourn.models.deep.networks.dcn import DCNv2
from sojourn.models.deep.networks.deepfm import DeepFM
from sojourn.models.deep.networks.embedding import FieldEmbedding
from sojourn.models.deep.networks.field_network import FieldNetwork
from sojourn.models.deep.networks.head import Head
from sojourn.models.deep.networks.mlp import MLP
from sojourn.models.deep.networks.parameters import (
    LayerGradient,
    LayerPass,
    head_parameters,
    layer_pass,
    linear_layers,
)
from sojourn.models.deep.networks.split import ClickNetwork, MakeNetwork, expect_split

__all__ = [
    "MLP",
    "ClickNetwork",
    "DCNv2",
    "DeepFM",
    "FieldEmbedding",
    "FieldNetwork",
    "Head",
    "LayerGradient",
    "LayerPass",
    "MakeNetwork",
    "expect_split",
    "head_parameters",
    "layer_pass",
    "linear_layers",
]
