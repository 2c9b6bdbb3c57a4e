"""The collection that `ragline upload` makes, asked of the command itself, and figures that Qdrant must agree with."""

import json
import math
import shutil
import subprocess
import sys

from finished_run import REPOSITORY

RAGLINE = REPOSITORY / "services/orchestrator/bin/ragline.mjs"


def ragline(*arguments):
    """Runs the command line; what it prints to stdout as JSON."""
    node = shutil.which("node")
    if node is None or not (REPOSITORY / "services/orchestrator/dist").exists():
        print("skipped: node is missing, or Ragline is not built (npm run build)")
        sys.exit(0)
    done = subprocess.run([node, str(RAGLINE), *arguments, "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"FAILED: ragline {arguments[0]} ended with {done.returncode}: {done.stderr}")
        sys.exit(1)
    return json.loads(done.stdout)


def collection_schema(run):
    return ragline("upload", "--run", str(run.directory), "--dry-run")["schema"]


def bm25_scores(points, name, indices):
    """BM25 of each point with query weights of 1, as Qdrant defines it: idf = ln(1 + (N - n + 0.5) / (n + 0.5)),
    with N and n counted over the points that have a vector in this space."""
    vectors = [(point["id"], point["vector"].get(name)) for point in points]
    present = [(one, dict(zip(vector["indices"], vector["values"]))) for one, vector in vectors if vector]
    idf = {}
    for index in indices:
        n = sum(index in vector for _, vector in present)
        idf[index] = math.log(1 + (len(present) - n + 0.5) / (n + 0.5))
    return {one: sum(idf[index] * vector.get(index, 0) for index in indices) for one, vector in present}


def dense_scores(points, name, query):
    """Cosine of each point with a query of unit length."""
    return {point["id"]: sum(a * b for a, b in zip(point["vector"][name], query)) for point in points}


def agrees(found, scores, tolerance=2e-4):
    """Whether (id, score) pairs are the best of the scores, in order; near ties may change places."""
    best = sorted(scores.values(), reverse=True)[: len(found)]
    return all(
        abs(score - wanted) <= tolerance * max(1, abs(wanted)) and abs(scores[one] - wanted) <= tolerance * max(1, abs(wanted))
        for (one, score), wanted in zip(found, best)
    )
