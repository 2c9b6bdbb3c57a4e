"""Exports a checkpoint to ONNX as Ragline runs it, and proves the result against the original.

    python tools/convert/convert.py path/to/checkpoint --out path/to/model [--precision fp32 weights8 int8 fp16 q4]

The checkpoint is a folder in the layout of Hugging Face (config.json, weights, tokenizer.json), with the files of
sentence-transformers beside it where there are any. What it is, its modules.json says; where there is none, its
architecture: ...ForSequenceClassification is a CrossEncoder, ...ForMaskedLM is SPLADE, anything else a dense encoder.
`--out` gets the graphs, tokenizer.json and entry.json, which can be put under `models:` of a configuration.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import re
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import transformers

import graphs
import weights
from export import export_graph
from original import Original, open_original
from prove import LEAST_COSINE, encodings, prove

PROBES = [
    "",
    "a",
    "Vectors are right, reproducible and fast to make.",
    "What is a lease? An open stream between a holder and a broker.",
    "Naïve café, 日本語 and हिन्दी.",
    "def encode(text): return [token for token in text.split() if token]",
]
QUERY = "what is a lease?"

# Names that `ragline models add` knows. Int8 weights that are turned into float32 are computed with in fp32.
FILES = {"fp32": "model.onnx", "weights8": "model.onnx", "int8": "model_int8.onnx", "fp16": "model_fp16.onnx", "q4": "model_q4.onnx"}


@dataclass
class Plan:
    """What is exported of a checkpoint, and what its registry entry says."""

    module: graphs.Encoder
    dimensions: list[str | int]
    entry: dict[str, object]


def prompts_of(original: Original) -> dict[str, object]:
    """Prefixes and instruction, as the pipeline uses them for queries and documents."""
    prompts = original.pipeline.prompts or {}
    default = prompts.get(original.pipeline.default_prompt_name or "", "")
    query = prompts.get("query", default)
    passage = next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), default)
    told = re.fullmatch(r"Instruct: ?(.+)(\nQuery: ?)", query, re.DOTALL)
    if not told:
        return {"prefixes": {"query": query, "passage": passage}}
    template = f"Instruct: {{instruction}}{told[2]}{{text}}"
    return {"prefixes": {"query": "", "passage": passage}, "instruction": {"template": template, "default": told[1]}}


def plan(original: Original, pooled_in_graph: bool = False) -> Plan:
    """The graph and the entry of a checkpoint."""
    model, config = original.transformer, original.transformer.config
    inputs = ["input_ids", "attention_mask"]
    # Families without token types have a table for one type alone, or none.
    if (getattr(config, "type_vocab_size", 0) or 0) > 1:
        inputs.append("token_type_ids")
    width = config.hidden_size
    entry: dict[str, object] = {"loader": original.loader, "maxTokens": original.max_tokens}
    if "token_type_ids" in inputs:
        entry["inputs"] = {"tokenTypes": "token_type_ids"}
    if original.loader == "cross_encoder":
        module: graphs.Encoder = graphs.Logits(model, inputs)
        output, head, dimensions = "logits", "logits", ["batch", config.num_labels]
        activation = type(original.pipeline.activation_fn).__name__
        if activation not in {1: {"Identity", "Sigmoid"}, 2: {"Identity"}}.get(config.num_labels, set()):
            raise SystemExit(f"{original.path}: {config.num_labels} logits with {activation} are no score of Ragline")
        entry |= {"stage": "rerank", "dimension": 1, "score": {"logits": config.num_labels, "activation": activation.lower()}}
    elif original.loader == "splade":
        module = graphs.Splade(model, inputs)
        output, head, dimensions = "sparse_weights", "sparse-weights", ["batch", config.vocab_size]
        entry |= {"stage": "sparse", "dimension": config.vocab_size} | prompts_of(original)
    elif pooled_in_graph or original.dense_layers:
        layers = original.dense_layers
        module = graphs.Pooled(model, inputs, original.pooling, layers)
        width = layers[-1][0].out_features if layers else width
        output, head, dimensions = "sentence_embedding", "pooled", ["batch", width]
        entry |= {"stage": "dense", "dimension": width, "normalise": original.normalises} | prompts_of(original)
    else:
        module = graphs.HiddenStates(model, inputs)
        output, head, dimensions = "last_hidden_state", "hidden-states", ["batch", "length", width]
        entry |= {"stage": "dense", "dimension": width, "pooling": original.pooling, "normalise": original.normalises}
        entry |= prompts_of(original)
    entry["output"] = {"name": output, "head": head}
    return Plan(module.eval(), dimensions, entry)


def write(planned: Plan, tokenizer: Path, out: Path, precisions: list[str]) -> dict[str, object]:
    """Writes graphs and tokenizer, and returns the whole entry."""
    out.mkdir(parents=True, exist_ok=True)
    exported = export_graph(planned.module, planned.entry["output"]["name"], planned.dimensions)
    made = {"fp32": lambda: exported, "weights8": lambda: weights.weight_only_int8(exported), "int8": lambda: weights.dynamic_int8(exported),
            "fp16": lambda: weights.half(exported), "q4": lambda: weights.four_bits(exported)}
    # Graphs of int8 weights share one file of weights; the others have one each.
    shared = [precision for precision in precisions if precision in {"weights8", "int8"}]
    described_graphs = {}
    for group in [shared, *([precision] for precision in precisions if precision not in shared)]:
        if not group:
            continue
        data = f"{FILES[group[0]]}_data"
        weights.save_with_weights({FILES[precision]: made[precision]() for precision in group}, out, data)
        for precision in group:
            graph = {"graph": described(out / FILES[precision]), "externalData": [described(out / data)]}
            described_graphs["fp32" if precision == "weights8" else precision] = graph
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    return {"key": out.name, **planned.entry, "tokenizer": {"file": described(out / "tokenizer.json")} | planned.entry.get("tokenizer", {}),
            "graphs": described_graphs}


def described(path: Path) -> dict[str, object]:
    """A file as a registry entry names it."""
    data = path.read_bytes()
    return {"name": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("checkpoint", type=Path)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--precision", nargs="+", default=["fp32"], choices=list(LEAST_COSINE))
    arguments.add_argument("--pool-in-graph", action="store_true", help="dense: only one vector a text leaves the graph")
    arguments.add_argument("--max-tokens", type=int, help="by default what the checkpoint says")
    arguments.add_argument("--license", default="NOASSERTION", help="SPDX identifier for the entry")
    given = arguments.parse_args()
    if {"fp32", "weights8"} <= set(given.precision):
        arguments.error("fp32 and weights8 are both computed in fp32: choose one")
    warnings.filterwarnings("ignore")
    transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.INFO)

    original = open_original(given.checkpoint)
    if given.max_tokens:
        original.pipeline.tokenizer.model_max_length = given.max_tokens
    # Before parts of the original are taken for the graph.
    expected = original.results(PROBES, QUERY)
    planned = plan(original, given.pool_in_graph)
    entry = write(planned, given.checkpoint / "tokenizer.json", given.out, given.precision)
    entry |= {"huggingFaceId": given.checkpoint.resolve().name, "source": {"kind": "folder", "path": str(given.out.resolve())}, "license": given.license}
    (given.out / "entry.json").write_text(json.dumps(entry, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    of = encodings(entry, given.out, PROBES, QUERY)
    failed = [precision for precision in given.precision if not prove(entry, given.out, precision, FILES[precision], of, expected)]
    if failed:
        raise SystemExit(f"too far from the original: {', '.join(failed)}")
    print(f"{given.out / 'entry.json'}: look at it, then put it under models: of a configuration")


if __name__ == "__main__":
    main()
