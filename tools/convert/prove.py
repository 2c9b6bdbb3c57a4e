"""Runs a graph as its registry entry says, with Python's onnxruntime, and compares with the original."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

# Largest difference to the original that a graph in fp32 may have, and least cosine over all results of the others.
TOLERANCE = 1e-5
LEAST_COSINE = {"fp32": 1 - 1e-6, "weights8": 0.99, "int8": 0.98, "fp16": 0.999, "q4": 0.9}


def input_text(entry: dict, kind: str, text: str) -> str:
    """The text as the model reads it."""
    told = entry.get("instruction")
    if kind == "query" and told:
        return told["template"].replace("{instruction}", told["default"]).replace("{text}", text)
    return entry.get("prefixes", {}).get(kind, "") + text


def encodings(entry: dict, folder: Path, passages: Sequence[str], query: str) -> list[Encoding]:
    """Tokens of the passages and of the query; of a reranker those of the pairs."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    is_pair = entry["loader"] == "cross_encoder"
    tokenizer.enable_truncation(entry["maxTokens"], strategy="only_second" if is_pair else "longest_first")
    template = entry["tokenizer"].get("pairTemplate")
    if template:
        return [tokenizer.encode(template.replace("{query}", query).replace("{passage}", passage)) for passage in passages]
    if is_pair:
        return [tokenizer.encode(query, passage) for passage in passages]
    texts = [input_text(entry, "passage", passage) for passage in passages]
    return [tokenizer.encode(text) for text in [*texts, input_text(entry, "query", query)]]


def feed(entry: dict, session: onnxruntime.InferenceSession, encoding: Encoding) -> dict[str, np.ndarray]:
    """What a graph is given for one text."""
    values = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask, "token_type_ids": encoding.type_ids,
              "position_ids": range(len(encoding.ids))}
    constants = entry.get("inputs", {}).get("constants", {})
    fed = {}
    for value in session.get_inputs():
        if value.name in values:
            fed[value.name] = np.array([list(values[value.name])], dtype=np.int64)
        elif value.name in constants:
            fed[value.name] = np.array(constants[value.name], dtype=np.int64).reshape([1] * len(value.shape))
        else:
            # The memory of earlier calls is empty.
            fed[value.name] = np.zeros([1, value.shape[1], 0, value.shape[3]], dtype=np.float32)
    return fed


def result(entry: dict, raw: np.ndarray) -> np.ndarray:
    """What Ragline makes of the output for one text."""
    row, head = raw[0].astype(np.float64), entry["output"]["head"]
    if head in {"hidden-states", "pooled"}:
        if head == "hidden-states":
            row = {"cls": row[0], "last-token": row[-1], "mean": row.mean(axis=0)}[entry["pooling"]]
        return row / np.linalg.norm(row) if entry.get("normalise", True) else row
    if head == "attentions":
        return row[:, 0].mean(axis=0)
    if entry["loader"] == "splade":
        return np.log1p(np.maximum(row, 0)).max(axis=0) if head == "logits" else row
    score = row[1] - row[0] if row.size == 2 else row[0]
    return np.array([1 / (1 + np.exp(-score)) if entry["score"]["activation"] == "sigmoid" else score])


def run_graph(entry: dict, folder: Path, file: str, of: Sequence[Encoding]) -> list[np.ndarray]:
    """Results for texts, each computed alone."""
    session = onnxruntime.InferenceSession(str(folder / file), providers=["CPUExecutionProvider"])
    return [result(entry, session.run([entry["output"]["name"]], feed(entry, session, encoding))[0]) for encoding in of]


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    # A text may have no weights at all.
    return float(a @ b) / lengths if lengths > 0 else float(np.array_equal(a, b))


def prove(entry: dict, folder: Path, precision: str, file: str, of: Sequence[Encoding], expected: Sequence[np.ndarray]) -> bool:
    """Tells how far a graph is from the original: the largest difference, and the least cosine of vectors or of all scores."""
    ours = run_graph(entry, folder, file, of)
    if entry["loader"] == "cross_encoder":
        ours, expected = [np.concatenate(ours)], [np.concatenate(expected)]
    largest = max(float(np.abs(a - b).max()) for a, b in zip(ours, expected, strict=True))
    least = min(_cosine(a, b) for a, b in zip(ours, expected))
    limit = TOLERANCE * max(1.0, max(float(np.abs(row).max()) for row in expected))
    good = least >= LEAST_COSINE[precision] and (precision != "fp32" or largest <= limit)
    print(f"{file}: largest difference {largest:.2e}, least cosine {least:.7f}: {'proven' if good else 'NOT PROVEN'}", flush=True)
    return good
