"""A checkpoint as the library of its authors runs it: sentence-transformers, for every kind of model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer, SparseEncoder
from torch import nn
from transformers import AutoConfig

# Their positions begin behind the padding id: of 514 places, 512 are for tokens.
WITH_POSITION_OFFSET = {"roberta", "xlm-roberta", "camembert", "mpnet"}
POOLINGS = {"cls": "cls", "mean": "mean", "lasttoken": "last-token"}


@dataclass
class Original:
    """A checkpoint that was opened, and what its own files say of it."""

    path: Path
    loader: str
    pipeline: SentenceTransformer | SparseEncoder | CrossEncoder

    @property
    def transformer(self) -> nn.Module:
        """The transformer in the pipeline, with the head of its architecture."""
        return self.pipeline[0].model

    @property
    def max_tokens(self) -> int:
        config = self.transformer.config
        places = getattr(config, "max_position_embeddings", None)
        if places is not None and config.model_type in WITH_POSITION_OFFSET:
            places -= 2
        # What tokenizers say when nobody limited them is a number like 1e30.
        limits = [limit for limit in (places, self.pipeline.tokenizer.model_max_length) if limit is not None and limit < 10_000_000]
        if not limits:
            raise SystemExit(f"{self.path}: none of its files says how many tokens it takes; say so with --max-tokens")
        return min(limits)

    @property
    def pooling(self) -> str:
        """How token vectors become one."""
        pooling = next((module for module in self.pipeline if _kind(module) == "Pooling"), None)
        if pooling is None:
            raise SystemExit(f"{self.path}: its pipeline has no pooling, so nothing tells how its vectors are made")
        mode = pooling.pooling_mode
        if not pooling.include_prompt:
            raise SystemExit(f"{self.path}: its pooling leaves the prompt out, which no graph of Ragline does")
        if not isinstance(mode, str) or mode not in POOLINGS:
            raise SystemExit(f"{self.path}: pooling by {mode} is not known; known are {', '.join(POOLINGS)}")
        return POOLINGS[mode]

    @property
    def dense_layers(self) -> list[nn.Module]:
        """Layers between the pooling and the end of the pipeline, which have to be in the graph."""
        return [nn.Sequential(module.linear, module.activation_function) for module in self.pipeline if _kind(module) == "Dense"]

    @property
    def normalises(self) -> bool:
        """Whether vectors have length 1, or are compared as if they had."""
        return _kind(self.pipeline[-1]) == "Normalize" or self.pipeline.similarity_fn_name == "cosine"

    def results(self, passages: Sequence[str], query: str, dimension: int | None = None) -> list[np.ndarray]:
        """A row for each passage, and after them one for the query: vectors, or weights of the vocabulary.

        Of a CrossEncoder the score of each passage for the query; of two logits by how much the second is higher.
        """
        if isinstance(self.pipeline, CrossEncoder):
            scores = self.pipeline.predict([(query, passage) for passage in passages], show_progress_bar=False)
            return [np.diff(row) if row.size == 2 else row for row in np.asarray(scores, dtype=np.float64).reshape(len(passages), -1)]
        options: dict[str, object] = {"show_progress_bar": False}
        if isinstance(self.pipeline, SparseEncoder):
            options["convert_to_sparse_tensor"] = False
        else:
            options |= {"normalize_embeddings": self.normalises, "truncate_dim": dimension}
        rows = [*self.pipeline.encode_document(list(passages), **options), *self.pipeline.encode_query([query], **options)]
        return [np.asarray(row, dtype=np.float64) for row in rows]


def _kind(module: nn.Module) -> str:
    return type(module).__name__


def open_original(path: Path) -> Original:
    """Opens a checkpoint; what it is, its pipeline says, and where it has none its architecture."""
    architecture = (AutoConfig.from_pretrained(path).architectures or [""])[0]
    listed = path / "modules.json"
    modules = [item["type"].rsplit(".", 1)[-1] for item in json.loads(listed.read_text())] if listed.exists() else []
    unknown = set(modules) - {"Transformer", "MLMTransformer", "Pooling", "SpladePooling", "Dense", "Normalize"}
    if unknown:
        raise SystemExit(f"{path}: its pipeline has {', '.join(sorted(unknown))}, which this program does not export")
    # Attention as plain matrix products exports to operators that every runtime has.
    options = {"device": "cpu", "local_files_only": True, "model_kwargs": {"attn_implementation": "eager", "dtype": torch.float32}}
    if architecture.endswith("ForSequenceClassification"):
        original = Original(path, "cross_encoder", CrossEncoder(str(path), **options))
    elif "SpladePooling" in modules or (not modules and architecture.endswith("ForMaskedLM")):
        original = Original(path, "splade", SparseEncoder(str(path), **options))
    else:
        original = Original(path, "encoder", SentenceTransformer(str(path), **options))
    original.pipeline.eval()
    return original
