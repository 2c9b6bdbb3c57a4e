"""Writes the fp32 references beside the embedded models: what their graphs give when every node is computed as it stands.

The default optimisations of onnxruntime are switched off: they turn DequantizeLinear + MatMul into MatMulNBits, which
quantises activations to int8 on a CPU, so that vectors differ by up to 6e-3 from those of the graph. Texts and token ids are
those in the reference files already, and the int8 references are left alone.

    python tools/oracles/embedded_reference.py libs/models/embedded
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime


def open_session(folder: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, ids: list[int], types: list[int] | None = None) -> np.ndarray:
    row = np.array([ids], dtype=np.int64)
    feed = {"input_ids": row, "attention_mask": np.ones_like(row)}
    feed["token_type_ids"] = np.zeros_like(row) if types is None else np.array([types], dtype=np.int64)
    return session.run(None, feed)[0]


def dense(folder: Path, reference: dict) -> None:
    session = open_session(folder)
    vectors = []
    for ids in reference["token_ids"]:
        hidden = run(session, ids)[0].astype(np.float64)
        vector = hidden[0] if reference["pooling"] == "cls" else hidden.mean(axis=0)
        vectors.append(vector / np.linalg.norm(vector))
    written = np.array(vectors, dtype=np.float32)
    path = folder / "reference_vectors.npy"
    print(folder.name, "moved by", np.abs(np.load(path) - written).max())
    np.save(path, written)


def rows(folder: Path, reference: dict) -> None:
    session = open_session(folder)
    moved = 0.0
    for row in reference["rows"]:
        output = run(session, row["token_ids"], row.get("type_ids"))[0]
        if "logit" in row:
            moved = max(moved, abs(row["logit"] - float(output[0])))
            row["logit"] = float(output[0])
        else:
            (indices,) = np.nonzero(output > 0)
            before = dict(zip(row["indices"], row["values"], strict=True))
            moved = max(moved, max(abs(before.get(int(i), 0) - float(output[i])) for i in indices))
            row["indices"] = indices.tolist()
            row["values"] = output[indices].astype(float).tolist()
    print(folder.name, "moved by", moved)
    (folder / "reference.json").write_text(json.dumps(reference), encoding="utf8")


for path in sorted(Path(sys.argv[1]).glob("*/reference.json")):
    content = json.loads(path.read_text(encoding="utf8"))
    (rows if "rows" in content else dense)(path.parent, content)
