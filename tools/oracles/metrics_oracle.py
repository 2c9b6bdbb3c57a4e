"""Compares Ragline's ranking metrics with trec_eval's, by way of pytrec_eval and ir_measures.

usage: metrics_oracle.py [--cases 1200] [--seed 7] [--fixture FILE]
       metrics_oracle.py --files QRELS RUN... [--fixture FILE]

Without --files it takes generated runs with ties, missing queries, unjudged and negatively judged documents. Every value of
every query and every mean has to agree to 5 digits. --fixture writes trec_eval's values for the unit tests.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

try:
    import ir_measures
    import pytrec_eval
except ImportError as error:
    print(f"skipped: {error}; pip install -r tools/oracles/requirements.txt")
    sys.exit(0)

root = Path(__file__).resolve().parents[2]
cutoffs = [1, 3, 5, 10, 100]
# Ragline's name -> pytrec_eval's.
names = {"nDCG": "ndcg", "MRR": "recip_rank", "MAP": "map"}
for k in cutoffs:
    names |= {
        f"nDCG@{k}": f"ndcg_cut_{k}",
        f"Recall@{k}": f"recall_{k}",
        f"MAP@{k}": f"map_cut_{k}",
        f"P@{k}": f"P_{k}",
        f"hit@{k}": f"success_{k}",
    }
tolerance = 5e-6


def generate(count, seed):
    """The cases that the unit tests make as well, from the built library."""
    module = (root / "libs/evaluation/dist/generated-cases.fixture.js").as_uri()
    script = f"import {{ generateCases }} from '{module}'; console.log(JSON.stringify(generateCases({count}, {seed})))"
    node = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    return json.loads(node.stdout)


def expected(qrels, run):
    """trec_eval's values: per query for those in both, means over all judged queries as with -c."""
    judged = {q: docs for q, docs in run.items() if q in qrels}
    values = pytrec_eval.RelevanceEvaluator(qrels, set(names.values())).evaluate(judged) if judged else {}
    means = {ours: sum(v[theirs] for v in values.values()) / len(qrels) for ours, theirs in names.items()}
    return {q: {ours: v[theirs] for ours, theirs in names.items()} for q, v in values.items()}, means


def judged_share(qrels, run, k):
    """ir_measures' Judged@k, with trec_eval's order of ties, which ir_measures does not keep to there."""
    shares = {}
    for query in run.keys() & qrels.keys():
        ranked = sorted(run[query].items(), key=lambda d: (-float32(d[1]), [-b for b in d[0].encode()] + [1]))
        first = [d for d, _ in ranked[:k]]
        shares[query] = sum(d in qrels[query] for d in first) / len(first)
    return shares


def float32(value):
    import struct

    return struct.unpack("f", struct.pack("f", value))[0]


def measure(cases):
    node = subprocess.run(
        ["node", str(root / "tools/dist/oracles/measure-cases.js")],
        input="".join(json.dumps(case) + "\n" for case in cases),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in node.stdout.splitlines()]


def compare(case, measured, label, with_ir_measures):
    """The number of values compared; raises AssertionError at the first that differs."""
    qrels, run = case["qrels"], case["run"]
    values, means = expected(qrels, run)
    assert measured["queries"] == sorted(qrels), f"{label}: queries {measured['queries']}"
    assert measured["missingQueries"] == len(qrels.keys() - run.keys()), label
    count = 0
    for name in names:
        for query, ours in zip(measured["queries"], measured["perQuery"][name]):
            theirs = values.get(query, {}).get(name, 0.0)
            assert abs(ours - theirs) < tolerance, f"{label}: {name} of {query} is {ours}, trec_eval has {theirs}"
            count += 1
        assert abs(measured["mean"][name] - means[name]) < tolerance, f"{label}: mean {name}"
        count += 1
    shares = judged_share(qrels, run, 10)
    for query, ours in zip(measured["queries"], measured["perQuery"]["judged@10"]):
        assert abs(ours - shares.get(query, 0.0)) < tolerance, f"{label}: judged@10 of {query}"
        count += 1
    for query, ours in zip(measured["queries"], measured["perQuery"]["MRR@10"]):  # recip_rank has no cutoff
        rank = values.get(query, {}).get("MRR", 0.0)
        assert abs(ours - (rank if rank > 0.0999 else 0.0)) < tolerance, f"{label}: MRR@10 of {query}"
        count += 1
    if with_ir_measures and run.keys() & qrels.keys():  # averages as trec_eval -c; takes a tenth of a second
        both = ir_measures.calc_aggregate([ir_measures.nDCG @ 10, ir_measures.AP], qrels, run)
        assert abs(measured["mean"]["nDCG@10"] - both[ir_measures.nDCG @ 10]) < tolerance, f"{label}: ir_measures"
        assert abs(measured["mean"]["MAP"] - both[ir_measures.AP]) < tolerance, f"{label}: ir_measures"
        count += 2
    return count


def read_files(qrels_path, run_path):
    with open(qrels_path) as file:
        qrels = pytrec_eval.parse_qrel(file)
    with open(run_path) as file:
        return {"qrels": qrels, "run": pytrec_eval.parse_run(file)}


def fixture(cases, labels, options):
    """trec_eval's means in millionths: of each case, with the values of the first cases' queries, or of each run file."""
    millionths = lambda values: [round(values[name] * 1e6) for name in names]
    of = [expected(**case) for case in cases]
    if options.files:
        means = {Path(label).stem: millionths(mean) for label, (_, mean) in zip(labels, of, strict=True)}
        return json.dumps({"metrics": list(names), "means": means}, separators=(",", ":"))
    queries = [{query: millionths(values) for query, values in found.items()} for found, _ in of[:24]]
    means = [millionths(mean) for _, mean in of]
    found = {"metrics": list(names), "seed": options.seed, "perQuery": queries, "means": means}
    return json.dumps(found, separators=(",", ":"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fixture")
    parser.add_argument("--files", nargs="+", metavar=("QRELS", "RUN"))
    options = parser.parse_args()
    metrics = [*names, "MRR@10", "judged@10"]
    if options.files:
        qrels, *runs = options.files
        cases = [read_files(qrels, run) for run in runs]
        measured = measure([{"qrels": qrels, "run": run, "metrics": metrics} for run in runs])
        labels = runs
    else:
        cases = generate(options.cases, options.seed)
        measured = measure([{**case, "metrics": metrics} for case in cases])
        labels = [f"case {i}" for i in range(len(cases))]
    count = 0
    for i, (case, result, label) in enumerate(zip(cases, measured, labels, strict=True)):
        try:
            count += compare(case, result, label, i % 50 == 0)
        except AssertionError as error:
            print(f"FAILED {error}")
            print(json.dumps(case)[:2000])
            return 1
    if options.fixture:
        Path(options.fixture).write_text(fixture(cases, labels, options) + "\n")
    print(f"ok: {count} values of {len(cases)} runs equal trec_eval's within {tolerance}")
    return 0


sys.exit(main())
