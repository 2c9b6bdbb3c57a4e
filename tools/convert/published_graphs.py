"""Graphs in forms that others publish and the recipe does not make, so that tests can run them too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from graphs import Encoder


class WithCache(Encoder):
    """Hidden states of a decoder that takes position ids and the memory of earlier calls, as exports for generation do."""

    def __init__(self, model: nn.Module) -> None:
        caches = [f"past_key_values.{layer}.{part}" for layer in range(model.config.num_hidden_layers) for part in ("key", "value")]
        super().__init__(model, ["input_ids", "attention_mask", "position_ids", *caches])

    def examples(self) -> dict[str, tuple[Tensor, list[str | int]]]:
        heads, width = self.model.config.num_key_value_heads, self.model.config.head_dim
        tokens = torch.ones((2, 7), dtype=torch.int64)
        examples = {name: (torch.rand(2, heads, 3, width), ["batch", heads, "past", width]) for name in self.inputs[3:]}
        positions = torch.arange(3, 10).expand(2, 7)
        known = {"input_ids": (tokens, ["batch", "length"]), "attention_mask": (torch.ones((2, 10), dtype=torch.int64), ["batch", "total"]),
                 "position_ids": (positions, ["batch", "length"])}
        return known | examples

    def forward(self, *values: Tensor) -> Tensor:
        ids, mask, positions, *past = values
        cache = DynamicCache(config=self.model.config)
        for layer in range(len(past) // 2):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        return self.model(input_ids=ids, attention_mask=mask, position_ids=positions, cache=cache, use_cache=True).last_hidden_state


class TaskAdapter(nn.Module):
    """Adds to every token vector what a task makes of it, as the LoRA adapters of Jina's models do inside."""

    def __init__(self, width: int, tasks: int, task: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(tasks, width, width) * 0.3)
        self.task = task

    def adapt(self, hidden: Tensor, task: Tensor) -> Tensor:
        return hidden + torch.matmul(hidden, self.weights[task])

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        features["token_embeddings"] = self.adapt(features["token_embeddings"], torch.tensor(self.task))
        return features


class WithTask(Encoder):
    """Hidden states for the task whose number is an input of its own, one for the whole call."""

    def __init__(self, model: nn.Module, inputs: list[str], adapter: TaskAdapter) -> None:
        super().__init__(model, inputs)
        self.adapter = adapter

    def examples(self) -> dict[str, tuple[Tensor, list[str | int]]]:
        return super().examples() | {"task_id": (torch.tensor(1), [])}

    def forward(self, *values: Tensor) -> Tensor:
        return self.adapter.adapt(self.run(values[:-1]).last_hidden_state, values[-1])


class Attentions(Encoder):
    """B x heads x T x T: the attentions of the last layer."""

    def __init__(self, model: nn.Module, inputs: list[str]) -> None:
        super().__init__(model, inputs, output_attentions=True)

    def forward(self, *values: Tensor) -> Tensor:
        return self.run(values).attentions[-1]
