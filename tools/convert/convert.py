"""Exports a checkpoint to ONNX as Ragline runs it, and proves the result against the original.

    python tools/convert/convert.py path/to/checkpoint --out path/to/model [--precision fp32 weights8 int8 fp16 q4]

The checkpoint is a folder in the layout of Hugging Face (config.json, weights, tokenizer.json), with the files of
sentence-transformers beside it where there are any (modules.json, 1_Pooling). What it is, is read from its
architecture: ...ForSequenceClassification is a CrossEncoder, ...ForMaskedLM is SPLADE, anything else a dense encoder.
`--out` gets the graphs, tokenizer.json and entry.json, which can be put under `models:` of a configuration.
"""

from __future__ import annotations

import argparse
import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification

import graphs
import weights
from export import export_graph
from make_fixtures import TOLERANCE, described

# Least cosine between what a graph of a precision gives and the original.
LEAST_COSINE = {"fp32": 1 - 1e-6, "weights8": 0.99, "int8": 0.98, "fp16": 0.999, "q4": 0.9}
PROBES = [
    "a",
    "Vectors are right, reproducible and fast to make.",
    "What is a lease? An open stream between a holder and a broker.",
    "Naïve café, 日本語 and हिन्दी.",
    "def encode(text): return [token for token in text.split() if token]",
]
QUERY = "what is a lease?"


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def pooling_of(checkpoint: Path) -> tuple[str, bool]:
    """How sentence-transformers pools the checkpoint, and whether it normalises; the mean where it does not say."""
    modules = json.loads((checkpoint / "modules.json").read_text()) if (checkpoint / "modules.json").exists() else []
    unknown = [item["type"] for item in modules if item["type"].rsplit(".", 1)[-1] not in {"Transformer", "Pooling", "Normalize"}]
    if unknown:
        raise SystemExit(f"{checkpoint}: its pipeline has {', '.join(unknown)}, which this program does not export")
    config = next((read_json(checkpoint / item["path"] / "config.json") for item in modules if item["type"].endswith("Pooling")), {})
    names = {"pooling_mode_cls_token": "cls", "pooling_mode_lasttoken": "last-token", "pooling_mode_mean_tokens": "mean"}
    modes = [name for key, name in names.items() if config.get(key)] or [config.get("pooling_mode", "mean")]
    modes = [{"lasttoken": "last-token"}.get(mode, mode) for mode in modes]
    if len(modes) != 1 or modes[0] not in names.values():
        raise SystemExit(f"{checkpoint}: pooling by {' and '.join(modes)} is not known; export it with --pool-in-graph max")
    return modes[0], not modules or any(item["type"].endswith("Normalize") for item in modules)


def load(checkpoint: Path) -> tuple[torch.nn.Module, str]:
    config = AutoConfig.from_pretrained(checkpoint)
    architecture = (config.architectures or [""])[0]
    kinds = {"ForSequenceClassification": (AutoModelForSequenceClassification, "cross_encoder"), "ForMaskedLM": (AutoModelForMaskedLM, "splade")}
    loader, kind = next((value for name, value in kinds.items() if architecture.endswith(name)), (AutoModel, "encoder"))
    # Attention as plain matrix products exports to operators that every runtime has.
    return loader.from_pretrained(checkpoint, attn_implementation="eager", dtype=torch.float32).eval(), kind


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("checkpoint", type=Path)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--precision", nargs="+", default=["fp32"], choices=list(LEAST_COSINE))
    arguments.add_argument("--pool-in-graph", nargs="?", const="auto", choices=["auto", "mean", "cls", "last-token", "max"],
                           help="dense: pool in the graph, so that only one vector a text leaves it")
    arguments.add_argument("--max-tokens", type=int, help="by default what the checkpoint says")
    given = arguments.parse_args()
    warnings.filterwarnings("ignore")

    model, kind = load(given.checkpoint)
    config = model.config
    tokenizer = Tokenizer.from_file(str(given.checkpoint / "tokenizer.json"))
    tokenizer.no_padding()
    inputs = ["input_ids", "attention_mask"]
    # Families without token types have a table for one type alone, or none.
    if (getattr(config, "type_vocab_size", 0) or 0) > 1:
        inputs.append("token_type_ids")
    entry: dict[str, object] = {"key": given.out.name, "huggingFaceId": getattr(config, "_name_or_path", "") or given.checkpoint.name, "loader": kind}
    width = config.hidden_size
    if kind == "cross_encoder":
        module: graphs.Encoder = graphs.Logits(model, inputs)
        output, head, shape = "logits", "logits", ["batch", config.num_labels]
        entry |= {"stage": "rerank", "dimension": 1, "score": {"logits": config.num_labels}}
    elif kind == "splade":
        module = graphs.Splade(model, inputs)
        output, head, shape = "sparse_weights", "sparse-weights", ["batch", config.vocab_size]
        entry |= {"stage": "sparse", "dimension": config.vocab_size}
    else:
        pooling, normalised = ("mean", True) if given.pool_in_graph == "max" else pooling_of(given.checkpoint)
        entry |= {"stage": "dense", "dimension": width, "normalise": normalised}
        if given.pool_in_graph:
            mode = pooling if given.pool_in_graph == "auto" else given.pool_in_graph
            module = graphs.Pooled(model, inputs, mode, [])
            output, head, shape = "sentence_embedding", "pooled", ["batch", width]
        else:
            module = graphs.HiddenStates(model, inputs)
            output, head, shape = "last_hidden_state", "hidden-states", ["batch", "length", width]
            entry["pooling"] = pooling
    sentence_config = read_json(given.checkpoint / "sentence_bert_config.json")
    entry["maxTokens"] = given.max_tokens or sentence_config.get("max_seq_length") or config.max_position_embeddings
    entry["output"] = {"name": output, "head": head}
    if "token_type_ids" in inputs:
        entry["inputs"] = {"tokenTypes": "token_type_ids"}

    exported = export_graph(module, given.out / "model.onnx", output, shape)
    made = {
        "fp32": lambda: exported,
        "weights8": lambda: weights.weight_only_int8(exported),
        "int8": lambda: weights.dynamic_int8(exported),
        "fp16": lambda: weights.half(exported),
        "q4": lambda: weights.four_bits(exported),
    }
    (given.out / "model.onnx").unlink()
    files = {precision: f"model.{precision}.onnx" for precision in given.precision}
    # Graphs of int8 weights share one file of weights; the others have one each.
    shared = [precision for precision in given.precision if precision in {"weights8", "int8"}]
    if shared:
        weights.save_with_weights({files[precision]: made[precision]() for precision in shared}, given.out, "weights.bin")
    for precision in given.precision:
        if precision not in shared:
            weights.save_with_weights({files[precision]: made[precision]()}, given.out, f"weights.{precision}.bin")
    shutil.copyfile(given.checkpoint / "tokenizer.json", given.out / "tokenizer.json")

    tokenizer.enable_truncation(int(entry["maxTokens"]))
    encodings = [tokenizer.encode(QUERY, text) if kind == "cross_encoder" else tokenizer.encode(text) for text in PROBES]
    failed = [precision for precision in given.precision if not prove(module, inputs, given.out / files[precision], precision, encodings)]
    entry["tokenizer"] = {"file": described(given.out / "tokenizer.json")}
    described_graphs = {}
    for precision in given.precision:
        data = "weights.bin" if precision in shared else f"weights.{precision}.bin"
        # Int8 weights that are turned into float32 are computed with in fp32.
        described_graphs["fp32" if precision == "weights8" else precision] = {
            "graph": described(given.out / files[precision]),
            "externalData": [described(given.out / data)],
        }
    entry |= {"graphs": described_graphs, "source": {"kind": "folder", "path": str(given.out.resolve())}, "license": "NOASSERTION"}
    (given.out / "entry.json").write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")
    print(f"{given.out / 'entry.json'}: set its license and its prefixes, then put it under models: of a configuration")
    if failed:
        raise SystemExit(f"too far from the original: {', '.join(failed)}")


def prove(module: graphs.Encoder, inputs: list[str], path: Path, precision: str, encodings: list) -> bool:
    """Runs a graph beside the original on a few texts, each alone, and tells how far apart they are."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    largest, least = 0.0, 1.0
    for encoding in encodings:
        values = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask, "token_type_ids": encoding.type_ids}
        feed = {name: np.array([values[name]], dtype=np.int64) for name in inputs}
        with torch.no_grad():
            original = module(*(torch.from_numpy(feed[name]) for name in inputs)).numpy().astype(np.float64).ravel()
        ours = session.run(None, feed)[0].astype(np.float64).ravel()
        largest = max(largest, float(np.abs(original - ours).max()))
        if original.size > 2:
            least = min(least, float(original @ ours / (np.linalg.norm(original) * np.linalg.norm(ours) or 1)))
    scale = 1 if precision == "fp32" else float("inf")
    good = largest <= TOLERANCE * scale * 10 and least >= LEAST_COSINE[precision]
    print(f"{path.name}: largest difference {largest:.2e}, least cosine {least:.7f}: {'proven' if good else 'NOT PROVEN'}")
    return good


if __name__ == "__main__":
    main()
