"""Makes the small models that Ragline's tests compare with: random weights in the real classes of `transformers`.

    python tools/convert/make_fixtures.py --out libs/inference/fixtures/families [family ...]

Each folder gets the exported graph, a small tokenizer of the family's kind, `entry.json` (the registry entry) and
`reference.json`: texts, their token ids by Python's `tokenizers`, and what the original model gives for each text alone,
in float32. The exported graph is run by Python's onnxruntime too and must agree within 1e-5.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from tokenizers import Tokenizer

import graphs
import weights
from export import export_graph
from tokenizer_kinds import KINDS

TOLERANCE = 1e-5
MAX_TOKENS = 48
WIDTH = 32
SIZES = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
WITH_TYPES = ["input_ids", "attention_mask", "token_type_ids"]
PLAIN = ["input_ids", "attention_mask"]

TEXTS = [
    "",
    "a",
    "A lease is an open stream: whoever drops it gives the memory back.",
    "Vectors are right, reproducible and fast to make.",
    "Café naïve, Ångström; İstanbul ﬁne ㎏ ½.",
    "日本語のテキスト and हिन्दी text with मात्रा",
    "  spaces\tand\nlines  [MASK] <mask> <s> end",
    "👩‍👩‍👧‍👦 🇩🇪 emoji, combining e\u0301 and \u00a0no-break\u3000space",
    "def encode(text): return [token for token in text.split() if token]  # code",
    "Every batch is padded to a bucket chosen from the text's own length, and never mixed with another. " * 4,
]
QUERY = "which text gives memory back?"
TRAINING = [
    *TEXTS,
    "Ragline turns a corpus of documents into retrieval artifacts: chunks, dense vectors, sparse vectors, fused candidates.",
    "A token is a piece of a word; the model reads no more than it was made for.",
    "The quick brown fox jumps over the lazy dog, and the dog sleeps on.",
    "0123456789 2026 3.14 1,000 + - * / = < > ( ) [ ] { } ! ? ; : ' \" # $ % & @",
] * 4


@dataclass
class Family:
    """How one fixture is made."""

    tokenizer: str
    build: Callable[[Tokenizer], torch.nn.Module]
    inputs: list[str]
    wrap: Callable[[torch.nn.Module, list[str]], graphs.Encoder]
    dimensions: Callable[[Tokenizer], list[str | int]]
    output: str
    entry: dict[str, object]
    query: Callable[[str], str] = lambda text: text
    passage: Callable[[str], str] = lambda text: text
    pairs: bool = False
    precisions: list[str] = field(default_factory=lambda: ["fp32"])


def _common(tokenizer: Tokenizer, **more: object) -> dict[str, object]:
    pad = next(tokenizer.token_to_id(name) for name in ("[PAD]", "<pad>", "<|endoftext|>") if tokenizer.token_to_id(name) is not None)
    return {"vocab_size": tokenizer.get_vocab_size(), "pad_token_id": pad, "bos_token_id": None, "eos_token_id": None, **SIZES, **more}


def _dense(pooling: str, **more: object) -> dict[str, object]:
    return {"stage": "dense", "loader": "encoder", "dimension": WIDTH, "pooling": pooling,
            "output": {"name": "last_hidden_state", "head": "hidden-states"}, **more}


def _transformer(name: str, config: str, **options: object) -> Callable[[Tokenizer], torch.nn.Module]:
    def build(tokenizer: Tokenizer) -> torch.nn.Module:
        import transformers

        made = getattr(transformers, config)(**_common(tokenizer, **options))
        made._attn_implementation = "eager"
        return getattr(transformers, name)(made)

    return build


def _hidden(*_: object) -> list[str | int]:
    return ["batch", "length", WIDTH]


INSTRUCTION = "Instruct: {instruction}\nQuery: {text}"
TASK = "Given a web search query, retrieve relevant passages that answer the query"

FAMILIES: dict[str, Family] = {
    "xlm-roberta": Family("xlm-roberta", _transformer("XLMRobertaModel", "XLMRobertaConfig", max_position_embeddings=66),
                          PLAIN, graphs.HiddenStates, _hidden, "last_hidden_state", _dense("cls")),
    "qwen3": Family("qwen", _transformer("Qwen3Model", "Qwen3Config", num_key_value_heads=2, head_dim=8, max_position_embeddings=128),
                    PLAIN, graphs.HiddenStates, _hidden, "last_hidden_state",
                    _dense("last-token", instruction={"template": INSTRUCTION, "default": TASK}),
                    query=lambda text: INSTRUCTION.format(instruction=TASK, text=text)),
    "cross-encoder": Family("bert", _transformer("BertForSequenceClassification", "BertConfig", num_labels=1, max_position_embeddings=64),
                            WITH_TYPES, graphs.Logits, lambda _: ["batch", 1], "logits",
                            {"stage": "rerank", "loader": "cross_encoder", "dimension": 1, "output": {"name": "logits", "head": "logits"},
                             "score": {"activation": "sigmoid"}}, pairs=True),
    "splade": Family("bert", _transformer("BertForMaskedLM", "BertConfig", max_position_embeddings=64),
                     WITH_TYPES, graphs.Splade, lambda tokenizer: ["batch", tokenizer.get_vocab_size()], "sparse_weights",
                     {"stage": "sparse", "loader": "splade", "output": {"name": "sparse_weights", "head": "sparse-weights"}}),
    "mpnet": Family("mpnet", _transformer("MPNetModel", "MPNetConfig", max_position_embeddings=66),
                    PLAIN, graphs.HiddenStates, _hidden, "last_hidden_state", _dense("mean")),
    "modernbert": Family("modernbert", _transformer("ModernBertModel", "ModernBertConfig", max_position_embeddings=64, local_attention=8,
                                                    global_attn_every_n_layers=2, cls_token_id=None, sep_token_id=None),
                         PLAIN, graphs.HiddenStates, _hidden, "last_hidden_state", _dense("cls")),
    "bert": Family("bert-cased", _transformer("BertModel", "BertConfig", max_position_embeddings=64), WITH_TYPES,
                   graphs.HiddenStates, _hidden, "last_hidden_state", _dense("mean"), precisions=["fp32", "int8", "fp16", "q4"]),
    "attentions": Family("bert", _transformer("BertModel", "BertConfig", max_position_embeddings=64), WITH_TYPES,
                         graphs.Attentions, lambda _: ["batch", 4, "length", "length"], "attention_6",
                         {"stage": "sparse", "loader": "attention-sparse", "dimension": 2**31,
                          "output": {"name": "attention_6", "head": "attentions"}}),
    "splade-logits": Family("bert", _transformer("DistilBertForMaskedLM", "DistilBertConfig", dim=WIDTH, n_layers=2, n_heads=4, hidden_dim=64,
                                                 max_position_embeddings=64),
                            PLAIN, graphs.Logits, lambda tokenizer: ["batch", "length", tokenizer.get_vocab_size()], "logits",
                            {"stage": "sparse", "loader": "splade", "output": {"name": "logits", "head": "logits"}}),
    "cross-encoder-two": Family("xlm-roberta", _transformer("XLMRobertaForSequenceClassification", "XLMRobertaConfig", num_labels=2,
                                                            max_position_embeddings=66),
                                PLAIN, graphs.Logits, lambda _: ["batch", 2], "logits",
                                {"stage": "rerank", "loader": "cross_encoder", "dimension": 1, "output": {"name": "logits", "head": "logits"},
                                 "score": {"logits": 2}}, pairs=True),
    "roberta": Family("roberta", _transformer("RobertaModel", "RobertaConfig", max_position_embeddings=66), PLAIN,
                      graphs.HiddenStates, _hidden, "last_hidden_state", _dense("mean")),
    "nomic": Family("bert", _transformer("NomicBertModel", "NomicBertConfig", max_position_embeddings=128), WITH_TYPES,
                    graphs.HiddenStates, _hidden, "last_hidden_state",
                    _dense("mean", prefixes={"query": "search_query: ", "passage": "search_document: "}),
                    query=lambda text: f"search_query: {text}", passage=lambda text: f"search_document: {text}"),
    "pooled": Family("mpnet", _transformer("MPNetModel", "MPNetConfig", max_position_embeddings=66), PLAIN,
                     lambda model, inputs: graphs.Pooled(model, inputs, "mean", [torch.nn.Linear(WIDTH, 24), torch.nn.Tanh()]),
                     lambda _: ["batch", 24], "sentence_embedding",
                     {"stage": "dense", "loader": "encoder", "dimension": 24, "output": {"name": "sentence_embedding", "head": "pooled"}}),
    "jina": Family("xlm-roberta", _transformer("JinaEmbeddingsV3Model", "JinaEmbeddingsV3Config", max_position_embeddings=128), PLAIN,
                   graphs.HiddenStates, _hidden, "last_hidden_state", _dense("mean")),
}


def _pool(hidden: np.ndarray, pooling: str) -> np.ndarray:
    vector = {"cls": hidden[0], "last-token": hidden[-1], "mean": hidden.mean(axis=0)}[pooling]
    return vector / np.linalg.norm(vector)


def _result(family: Family, raw: np.ndarray) -> list[float]:
    """What the authors' library makes of the output of one text."""
    head = family.entry["output"]["head"]  # type: ignore[index]
    raw = raw[0].astype(np.float64)
    if head == "hidden-states":
        raw = _pool(raw, str(family.entry["pooling"]))
    elif head == "pooled":
        raw = raw / np.linalg.norm(raw)
    elif head == "attentions":
        raw = raw[:, 0].mean(axis=0)
    elif head == "logits" and family.entry["loader"] == "splade":
        raw = np.log1p(np.maximum(raw, 0)).max(axis=0)
    return [float(f"{value:.8g}") for value in raw]


def _feed(family: Family, encoding) -> dict[str, np.ndarray]:
    values = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask, "token_type_ids": encoding.type_ids}
    return {name: np.array([values[name]], dtype=np.int64) for name in family.inputs}


def make(name: str, out: Path) -> None:
    family = FAMILIES[name]
    torch.manual_seed(sum(name.encode()))
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = KINDS[family.tokenizer](TRAINING, 420, small=True) if family.tokenizer == "xlm-roberta" else KINDS[family.tokenizer](TRAINING, 420)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    model = family.build(tokenizer).eval()
    for weight in model.parameters():
        # Of the usual size weights are so small that two layers hardly change a vector.
        torch.nn.init.normal_(weight, std=0.3) if weight.ndim > 1 else None
    module = family.wrap(model, family.inputs).eval()
    exported = export_graph(module, folder / "model.onnx", family.output, family.dimensions(tokenizer))

    tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second" if family.pairs else "longest_first")
    passages = [family.passage(text) for text in TEXTS]
    queries = [family.query(QUERY)]
    encodings = [tokenizer.encode(QUERY, text) if family.pairs else tokenizer.encode(text) for text in ([*TEXTS] if family.pairs else [*passages, *queries])]
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    results, worst = [], 0.0
    for encoding in encodings:
        feed = _feed(family, encoding)
        with torch.no_grad():
            original = module(*(torch.from_numpy(value) for value in feed.values())).numpy()
        ours = session.run(None, feed)[0]
        worst = max(worst, float(np.abs(np.array(_result(family, original)) - np.array(_result(family, ours))).max()))
        results.append(_result(family, original))
    if worst > TOLERANCE:
        raise SystemExit(f"{name}: the graph differs from the original by {worst}")

    entry = {"key": name, "huggingFaceId": f"fixture/{name}", "maxTokens": MAX_TOKENS, "license": "Apache-2.0", **family.entry}
    entry.setdefault("dimension", tokenizer.get_vocab_size())
    if family.inputs == WITH_TYPES:
        entry["inputs"] = {"tokenTypes": "token_type_ids"}
    entry["tokenizer"] = {"file": described(folder / "tokenizer.json")}
    entry["graphs"] = {"fp32": {"graph": described(folder / "model.onnx")}} | _other_precisions(family, exported, folder)
    _write(folder / "entry.json", entry)
    reference: dict[str, object] = {"ids": [encoding.ids for encoding in encodings], "results": results}
    reference |= {"query": QUERY, "texts": TEXTS}
    _write(folder / "reference.json", reference)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{name}: within {worst:.1e} of the original, {size} bytes", flush=True)


def _other_precisions(family: Family, model: onnx.ModelProto, folder: Path) -> dict[str, object]:
    made = {}
    if "int8" in family.precisions:
        weights.save_with_weights({"model.int8.onnx": weights.dynamic_int8(model)}, folder, "weights.bin")
        made["int8"] = {"graph": described(folder / "model.int8.onnx"), "externalData": [described(folder / "weights.bin")]}
    for precision, convert in (("fp16", weights.half), ("q4", weights.four_bits)):
        if precision in family.precisions:
            weights.save_with_weights({f"model.{precision}.onnx": convert(model)}, folder, None)
            made[precision] = {"graph": described(folder / f"model.{precision}.onnx")}
    return made


def described(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    return {"name": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("families", nargs="*", default=list(FAMILIES))
    given = arguments.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    failed = []
    for name in given.families:
        try:
            make(name, given.out)
        except Exception as error:  # noqa: BLE001  (the other families are still made)
            failed.append(name)
            print(f"{name}: {type(error).__name__}: {str(error)[:500]}", flush=True)
    if failed:
        raise SystemExit(f"not made: {', '.join(failed)}")


if __name__ == "__main__":
    main()
