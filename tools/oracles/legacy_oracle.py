"""What readers of the pipeline before Ragline look at: ids, payload keys, sparse lines, and keys of the v4.1 manifest."""

import json
import os
import re
from pathlib import Path

from finished_run import REPOSITORY, check, run_from_arguments

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PAYLOAD = ["text_preview", "full_text_length", "model_info", "primary_vector_name", "dense_vector_names"]
MANIFEST = {
    "": "schema_version generated_at collection chunk_count feature_toggles dense_run sparse_run rerank_run ensemble_state "
    "telemetry performance_baseline compatibility warnings",
    "feature_toggles": "enable_rerank enable_sparse sparse_models provenance provenance_lines",
    "dense_run": "total_embeddings_generated embedding_dimension processing_time_seconds chunks_per_second models_executed "
    "lease_events batches_per_model backend",
    "rerank_run": "run_id query candidate_ids batch_size scores latency_ms gpu_peak_gb enabled executed status model_name "
    "device_state fallback_count payload",
    "sparse_run": "run_id sparse_model query_sparse_vector document_sparse_vectors latency_ms fallback_used enabled models "
    "executed vectors devices",
    "telemetry": "lease_events_recorded batch_progress_events_recorded spans metrics",
    "performance_baseline": "gpu system",
    "compatibility": "current legacy",
}


def paths(value, prefix=""):
    """Key paths of an object, lists and values left out."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        yield f"{prefix}{key}"
        yield from paths(inner, f"{prefix}{key}.")


run = run_from_arguments()
names = [space["name"] for space in run.dense]
sparse = [model["name"] for model in (run.manifest.get("sparse_run") or {}).get("models", [])]
ids = []
for number, point in enumerate(run.points(), 1):
    where = f"line {number} of {run.path('qdrant.jsonl').name}"
    check(set(point) == {"id", "vector", "payload"}, f"{where} has the keys {sorted(point)}")
    check(isinstance(point["id"], str) and UUID.fullmatch(point["id"]) is not None, f"{where} has the id {point['id']}")
    check(set(names) <= set(point["vector"]) <= {*names, *sparse}, f"{where} has the vectors {sorted(point['vector'])}")
    payload = point["payload"]
    wanted = [*PAYLOAD, *(["sparse_vector"] if sparse else [])]
    missing = [key for key in wanted if key not in payload]
    check(not missing, f"{where} lacks {missing} in its payload")
    if sparse:
        keys = {"indices", "values", "tokens", "stats"}
        check(keys <= set(payload["sparse_vector"]), f"{where} has a sparse_vector with {sorted(payload['sparse_vector'])}")
    check(payload["text_preview"] == payload["text"][:500], f"{where} has a preview that is not the text's beginning")
    check(payload["full_text_length"] == len(payload["text"]), f"{where} has a wrong full_text_length")
    check(payload["dense_vector_names"] == names and payload["primary_vector_name"] == names[0], f"{where} names other models")
    ids.append(point["id"])
check(len(set(ids)) == run.count, f"{len(set(ids))} different ids, but {run.count} chunks")
print(f"ok: {run.count} points have unique UUIDs, named vectors and the payload that readers know")

metadata = json.loads(run.path("metadata.json").read_text("utf-8"))
texts = json.loads(run.path("texts.json").read_text("utf-8"))
check(len(metadata) == len(texts) == run.count, "metadata and texts have other lengths than the run")
for point, one, text in zip(run.points(), metadata, texts):
    lost = [key for key, value in one.items() if key not in PAYLOAD and key != "sparse_vector" and point["payload"].get(key) != value]
    check(not lost, f"the point {point['id']} has lost the metadata {lost}")
    check(point["payload"]["text"] == text, f"the point {point['id']} has another text")
print(f"ok: every point keeps all of its chunk's metadata ({len(metadata[0])} keys in the first)")

if sparse:
    with open(run.path("sparse.jsonl"), encoding="utf-8") as lines:
        for one, line in zip(ids, lines, strict=True):
            row = json.loads(line)
            check(row["id"] == one, f"the sparse line of {row['id']} stands where {one} should")
            check({"sparse_vector", "tokens", "stats"} <= set(row), f"the sparse line of {one} has the keys {sorted(row)}")
            vector = row["sparse_vector"]
            check(len(vector["indices"]) == len(vector["values"]), f"the sparse line of {one} has lists of two lengths")
    print(f"ok: {run.count} sparse lines stand in the order of the points")

manifest = run.manifest
for section, keys in MANIFEST.items():
    part = manifest.get(section) if section else manifest
    if part is None and section in ("rerank_run", "sparse_run"):
        continue
    missing = [key for key in keys.split() if key not in part]
    check(not missing, f"{section or 'the manifest'} lacks {missing}")
check(manifest["schema_version"] == "v4.1" and manifest["compatibility"]["current"] == "v4.1", "the manifest is not v4.1")
check("v4.0" in manifest["compatibility"]["legacy"], "the manifest does not say that readers of v4.0 may read it")
print("ok: the manifest has every key of v4.1")

data = Path(os.environ.get("RAGLINE_DATA", REPOSITORY.parent / "shared/data"))
golden = data / "legacy/docling-mini/goldens/processing_summary_default_on.json"
if golden.exists():
    ours = set(paths(manifest))
    models = ("sparse_run.devices.", "feature_toggles.provenance.")
    only = [path for path in paths(json.loads(golden.read_text("utf-8"))) if path not in ours and not path.startswith(models)]
    print(f"note: in the golden manifest and not in this one: {', '.join(only) or 'nothing'}")
else:
    print(f"skipped: {golden} is missing")
