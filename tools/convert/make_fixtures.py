"""Makes the small models that Ragline's tests compare with: random weights in the real classes of `transformers`.

    python tools/convert/make_fixtures.py --out libs/inference/fixtures/families [family ...]

Each family is saved as a checkpoint of sentence-transformers, which is then opened again, exported by convert.py and
compared with what its own library makes of the same texts, within 1e-5. A folder gets the graph, a small tokenizer of the
family's kind, `entry.json` (the registry entry) and `reference.json`: texts, their token ids by Python's `tokenizers`, and
the vectors, weights or scores of sentence-transformers (of BM42 those of fastembed).
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer, SparseEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Encoding

import graphs
from convert import FILES, Plan, plan, write
from original import Original, open_original
from prove import encodings, prove
from published_graphs import Attentions, TaskAdapter, WithCache, WithTask
from tokenizer_kinds import KINDS

WIDTH = 32
MAX_TOKENS = 48
MOST_BYTES = 200_000

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
    model: str
    options: dict[str, object] = field(default_factory=dict)
    # Of dense models.
    pooling: str = "mean"
    prompts: dict[str, str] = field(default_factory=dict)
    dense_layer: bool = False
    similarity: str = "cosine"
    # Of CrossEncoders: what is made of a logit, where that is not the usual.
    activation: torch.nn.Module | None = None
    max_tokens: int = MAX_TOKENS
    vocabulary: int = 420
    precisions: list[str] = field(default_factory=lambda: ["fp32"])
    padding_side: str = "right"
    # Puts another graph in place of the recipe's.
    publish: Callable[[Original, Plan], Plan] | None = None
    # What its own library makes of the texts and their tokens.
    results: Callable[[Original, list[Encoding]], list[np.ndarray]] = lambda original, _: original.results(TEXTS, QUERY)
    # Size of vectors that are cut, for a second reference.
    cut: int | None = None


def _with_cache(original: Original, planned: Plan) -> Plan:
    entry = planned.entry | {"inputs": {"positionIds": "position_ids"}, "tokenizer": {"paddingSide": "left"}}
    return Plan(WithCache(original.transformer), planned.dimensions, entry)


def _with_task(original: Original, planned: Plan) -> Plan:
    adapter = TaskAdapter(WIDTH, tasks=3, task=2)
    # Its own library runs the adapter behind the transformer.
    original.pipeline = SentenceTransformer(modules=[original.pipeline[0], adapter, *list(original.pipeline)[1:]], device="cpu")
    entry = planned.entry | {"inputs": {"constants": {"task_id": adapter.task}}}
    return Plan(WithTask(original.transformer, planned.module.inputs, adapter), planned.dimensions, entry)


def _attentions(original: Original, planned: Plan) -> Plan:
    entry = {name: value for name, value in planned.entry.items() if name in {"maxTokens", "inputs"}}
    entry |= {"stage": "sparse", "loader": "attention-sparse", "dimension": 2**31, "output": {"name": "attention_6", "head": "attentions"}}
    return Plan(Attentions(original.transformer, planned.module.inputs), ["batch", 4, "length", "length"], entry)


def _attention_results(original: Original, of: list[Encoding]) -> list[np.ndarray]:
    """Attention of the last layer from the first token to each, as the mean over the heads."""
    results = []
    for encoding in of:
        with torch.no_grad():
            output = original.transformer(
                torch.tensor([encoding.ids]), torch.tensor([encoding.attention_mask]), torch.tensor([encoding.type_ids]), output_attentions=True
            )
        results.append(output.attentions[-1][0, :, 0].mean(dim=0).numpy().astype(np.float64))
    return results


def _logits(original: Original, planned: Plan) -> Plan:
    # The recipe has taken the last projection out of the model.
    model = open_original(original.path).transformer
    entry = planned.entry | {"output": {"name": "logits", "head": "logits"}}
    return Plan(graphs.Logits(model, planned.module.inputs), ["batch", "length", model.config.vocab_size], entry)


def _with_template(original: Original, planned: Plan) -> Plan:
    return Plan(planned.module, planned.dimensions, planned.entry | {"tokenizer": {"pairTemplate": TEMPLATE}})


def _template_results(original: Original, _: list[Encoding]) -> list[np.ndarray]:
    """Scores of pairs that the tokenizer puts together to what the template says."""
    head, tail = TEMPLATE.replace("{query}", QUERY).split("{passage}")
    scores = original.pipeline.predict([(head, f"{text}{tail}") for text in TEXTS], show_progress_bar=False)
    return [np.array([score], dtype=np.float64) for score in scores]


TEMPLATE = "<Instruct>: Judge the document.\n<Query>: {query}\n<Document>:\n{passage}\nAnswer:"
TASK = "Given a web search query, retrieve relevant passages that answer the query"
BERT = {"max_position_embeddings": 64}
ROBERTA = {"max_position_embeddings": 66, "type_vocab_size": 1}
MPNET = {"max_position_embeddings": 66}
QWEN = {"num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256}
QWEN_PROMPTS = {"query": f"Instruct: {TASK}\nQuery:", "document": ""}

FAMILIES: dict[str, Family] = {
    "bert": Family("bert-cased", "Bert", BERT, vocabulary=300, precisions=["fp32", "int8"]),
    "roberta": Family("roberta", "Roberta", ROBERTA, cut=12),
    "xlm-roberta": Family("xlm-roberta", "XLMRoberta", {"intermediate_size": 32} | ROBERTA, pooling="cls", vocabulary=210, precisions=["fp32", "fp16"]),
    "mpnet": Family("mpnet", "MPNet", MPNET, pooling="cls", similarity="dot"),
    "modernbert": Family("modernbert", "ModernBert", {"max_position_embeddings": 64, "local_attention": 8, "global_attn_every_n_layers": 2,
                                                      "cls_token_id": None, "sep_token_id": None}, pooling="cls"),
    "nomic": Family("bert", "NomicBert", {"max_position_embeddings": 128},
                    prompts={"query": "search_query: ", "document": "search_document: "}),
    "jina": Family("xlm-roberta", "JinaEmbeddingsV3", {"intermediate_size": 32, "max_position_embeddings": 128}, vocabulary=250, publish=_with_task, precisions=["fp32", "q4"]),
    "qwen3": Family("qwen", "Qwen3", QWEN, pooling="lasttoken", prompts=QWEN_PROMPTS),
    "qwen3-cache": Family("qwen", "Qwen3", QWEN, pooling="lasttoken", prompts=QWEN_PROMPTS, padding_side="left", publish=_with_cache),
    "pooled": Family("mpnet", "MPNet", MPNET, dense_layer=True),
    "splade": Family("bert", "Bert", BERT),
    "splade-logits": Family("bert", "DistilBert", {"dim": WIDTH, "n_layers": 2, "n_heads": 4, "hidden_dim": 64} | BERT, publish=_logits),
    "attentions": Family("bert", "Bert", BERT, publish=_attentions, results=_attention_results),
    "cross-encoder": Family("bert", "Bert", {"num_labels": 1} | BERT),
    # Takes token types, of which its tokenizer has but one.
    "cross-encoder-two": Family("xlm-roberta", "XLMRoberta", {"num_labels": 2} | ROBERTA | {"type_vocab_size": 2}),
    "cross-encoder-template": Family("qwen", "Qwen3", {"num_labels": 1} | QWEN, activation=torch.nn.Identity(), max_tokens=256,
                                     padding_side="left", publish=_with_template, results=_template_results),
}


def _checkpoint(family: Family, name: str, folder: Path) -> None:
    """Saves a model of random weights and its tokenizer as sentence-transformers does."""
    small = {"small": True} if family.tokenizer == "xlm-roberta" else {}
    tokenizer = KINDS[family.tokenizer](TRAINING, family.vocabulary, **small)
    pad = next(token for token in ("[PAD]", "<pad>", "<|endoftext|>") if tokenizer.token_to_id(token) is not None)
    head = "ForSequenceClassification" if name.startswith("cross") else "ForMaskedLM" if name.startswith("splade") else "Model"
    config = getattr(transformers, f"{family.model}Config")(
        vocab_size=tokenizer.get_vocab_size(), pad_token_id=tokenizer.token_to_id(pad), bos_token_id=None, eos_token_id=None,
        **{"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, **family.options},
    )
    model = getattr(transformers, f"{family.model}{head}")(config)
    for weight in model.parameters():
        # Of the usual size weights are so small that two layers hardly change a vector.
        torch.nn.init.normal_(weight, std=0.3) if weight.ndim > 1 else None
    model.save_pretrained(folder)
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if (getattr(config, "type_vocab_size", 0) or 0) > 1 else [])]
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=pad, model_max_length=family.max_tokens, padding_side=family.padding_side, model_input_names=names
    ).save_pretrained(folder)
    # Without what transformers puts into it.
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    if head == "ForSequenceClassification":
        CrossEncoder(str(folder), device="cpu", activation_fn=family.activation).save_pretrained(str(folder))
    elif head == "ForMaskedLM":
        SparseEncoder(str(folder), device="cpu").save_pretrained(str(folder))
    else:
        modules = [Transformer(str(folder)), Pooling(WIDTH, family.pooling)]
        if family.dense_layer:
            modules.append(Dense(WIDTH, 24))
        if family.similarity == "cosine":
            modules.append(Normalize())
        SentenceTransformer(modules=modules, device="cpu", prompts=family.prompts, similarity_fn_name=family.similarity).save_pretrained(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)


def _bm42(checkpoint: Path, folder: Path) -> list[list[tuple[int, float]]]:
    """Indices and weights that fastembed makes of the attentions to each text, and of the query."""
    from fastembed.sparse.bm42 import Bm42

    model_folder = checkpoint / "bm42"
    shutil.copytree(folder, model_folder)
    for name in ("config.json", "tokenizer_config.json"):
        shutil.copyfile(checkpoint / name, model_folder / name)
    model = Bm42("Qdrant/bm42-all-minilm-l6-v2-attentions", specific_model_path=str(model_folder), cuda=False)
    rows = [*model.embed(TEXTS), *model.query_embed(QUERY)]
    return [sorted(zip(row.indices.tolist(), map(_short, row.values))) for row in rows]


def _short(value: float) -> float:
    return float(f"{value:.8g}")


def make(name: str, out: Path) -> None:
    family = FAMILIES[name]
    torch.manual_seed(sum(name.encode()))
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        checkpoint = Path(temporary) / name
        checkpoint.mkdir()
        _checkpoint(family, name, checkpoint)
        original = open_original(checkpoint)
        planned = plan(original)
        if family.publish:
            planned = family.publish(original, planned)
        entry = write(planned, checkpoint / "tokenizer.json", folder, family.precisions)
        entry |= {"huggingFaceId": f"fixture/{name}", "license": "Apache-2.0"}
        of = encodings(entry, folder, TEXTS, QUERY)
        # The plan may have taken parts of the original; that with an adapter is in memory alone.
        whole = original if family.publish is _with_task else open_original(checkpoint)
        expected = family.results(whole, of)
        for precision in family.precisions:
            if not prove(entry, folder, precision, FILES[precision], of, expected):
                raise SystemExit(f"{name}: the graph differs from the original")
        reference = {"query": QUERY, "texts": TEXTS, "ids": [encoding.ids for encoding in of], "results": _rows(expected)}
        if family.cut:
            reference["cut"] = {"dimension": family.cut, "results": _rows(whole.results(TEXTS, QUERY, family.cut))}
        if family.publish is _attentions:
            reference["bm42"] = _bm42(checkpoint, folder)
    _write(folder / "entry.json", entry)
    _write(folder / "reference.json", reference)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{name}: {size} bytes", flush=True)
    if size > MOST_BYTES:
        raise SystemExit(f"{name} has {size} bytes, more than {MOST_BYTES}")


def _rows(values: np.ndarray) -> list[list[float]]:
    return [[_short(value) for value in np.atleast_1d(row)] for row in values]


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("families", nargs="*", default=list(FAMILIES))
    given = arguments.parse_args()
    warnings.filterwarnings("ignore")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    failed = []
    for name in given.families:
        try:
            make(name, given.out)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the other families are still made)
            failed.append(name)
            print(f"{name}: {type(error).__name__}: {str(error)[:500]}", flush=True)
    if failed:
        raise SystemExit(f"not made: {', '.join(failed)}")


if __name__ == "__main__":
    main()
