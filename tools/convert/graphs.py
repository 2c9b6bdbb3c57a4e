"""Torch modules whose forward pass is exactly what a graph of Ragline computes."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """A transformer, of whose output one field is kept; takes the inputs by position, in the order of `inputs`."""

    def __init__(self, model: nn.Module, inputs: list[str], **options: bool) -> None:
        super().__init__()
        self.model = model
        self.inputs = inputs
        self.options = options

    def examples(self) -> dict[str, tuple[Tensor, list[str | int]]]:
        """For each input of the graph a value to export it with, and its sizes; named ones stay open."""
        return {name: (torch.ones((2, 7), dtype=torch.int64), ["batch", "length"]) for name in self.inputs}

    def run(self, values: tuple[Tensor, ...]):
        return self.model(**dict(zip(self.inputs, values)), return_dict=True, **self.options)


class HiddenStates(Encoder):
    """B x T x D: the vectors of all tokens, pooled by the worker."""

    def forward(self, *values: Tensor) -> Tensor:
        return self.run(values).last_hidden_state


class Pooled(Encoder):
    """B x D: pooled in the graph, with the dense layers that follow in a sentence-transformers pipeline."""

    def __init__(self, model: nn.Module, inputs: list[str], pooling: str, layers: list[nn.Module]) -> None:
        super().__init__(model, inputs)
        self.pooling = pooling
        self.layers = nn.ModuleList(layers)

    def forward(self, *values: Tensor) -> Tensor:
        hidden = self.run(values).last_hidden_state
        mask = values[1]
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        elif self.pooling == "last-token":
            last = mask.sum(dim=1) - 1
            pooled = hidden.gather(1, last[:, None, None].expand(-1, 1, hidden.shape[2]))[:, 0]
        else:
            weights = mask[:, :, None].to(hidden.dtype)
            pooled = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        for layer in self.layers:
            pooled = layer(pooled)
        return pooled


class Splade(Encoder):
    """B x V: the maximum over the tokens first, then bias, relu and log1p, which gives the same bits in half the time.

    Padding repeats the first token's vector, so that it cannot change a maximum.
    """

    def __init__(self, model: nn.Module, inputs: list[str]) -> None:
        super().__init__(model, inputs)
        head = model.get_output_embeddings()
        self.weight = head.weight
        self.bias = head.bias
        # What comes before the projection is then what the model returns as its logits.
        model.set_output_embeddings(_Unchanged(head))

    def forward(self, *values: Tensor) -> Tensor:
        hidden = self.run(values).logits
        hidden = torch.where(values[1][:, :, None] > 0, hidden, hidden[:, :1])
        highest = torch.matmul(hidden, self.weight.T).amax(dim=1)
        if self.bias is not None:
            highest = highest + self.bias
        return torch.log1p(torch.relu(highest))


class _Unchanged(nn.Module):
    """Stands in for a projection; keeps what other parts of a model look up on it."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.weight = head.weight
        self.bias = head.bias

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden


class Logits(Encoder):
    """B x 1 or B x 2 of a CrossEncoder, or B x T x V of a masked language model."""

    def forward(self, *values: Tensor) -> Tensor:
        return self.run(values).logits
