"""faiss.read_index reads every .faiss file: same vectors as the .npy file, and the top 10 of a NumPy brute force."""

from finished_run import check, require, run_from_arguments

np, faiss = require("numpy", "faiss")

QUERIES = 200
TOP = 10
# Scores this close are ties: both sides add float32 products in orders of their own.
TIE = 1e-6


def unwrapped(index):
    """The index behind an id map, and the ids by row; row numbers where there is no map."""
    index = faiss.downcast_index(index)
    if not isinstance(index, (faiss.IndexIDMap, faiss.IndexIDMap2)):
        return index, np.arange(index.ntotal)
    return faiss.downcast_index(index.index), faiss.vector_to_array(index.id_map)


def equal_answers(scores, found, ids, best):
    """How many queries have the brute force's top 10; rows whose scores tie may stand in for one another."""
    row_of = {int(one): row for row, one in enumerate(ids)}
    equal = 0
    for query in range(len(found)):
        rows = [row_of.get(int(one), -1) for one in found[query]]
        exact = scores[query, best[query]]
        if -1 in rows or len(set(rows)) < len(rows):
            continue
        equal += bool(np.all(np.abs(scores[query, rows] - exact) <= TIE))
    return equal


run = run_from_arguments()
vectors = np.load(run.directory / run.dense[0]["embeddings"])
noise = np.random.default_rng(7).normal(scale=0.02, size=(QUERIES, vectors.shape[1])).astype(np.float32)
queries = vectors[np.arange(QUERIES) * len(vectors) // QUERIES] + noise
queries /= np.linalg.norm(queries, axis=1, keepdims=True)
scores = queries.astype(np.float64) @ vectors.astype(np.float64).T
top = min(TOP, run.count)
best = np.argsort(-scores, axis=1, kind="stable")[:, :top]

paths = sorted(run.directory.glob("*.faiss"))
check(len(paths) > 0, f"{run.directory} has no .faiss file")
for path in paths:
    fourcc = path.open("rb").read(4).decode("latin1")
    index = faiss.read_index(str(path))
    inner, ids = unwrapped(index)
    check(index.ntotal == run.count and index.d == vectors.shape[1], f"{path.name} is {index.ntotal} x {index.d}")
    check(index.metric_type == faiss.METRIC_INNER_PRODUCT, f"{path.name} has metric {index.metric_type}")
    check(len(set(ids.tolist())) == run.count, f"{path.name} has ids that are not unique")
    check(np.array_equal(inner.reconstruct_n(0, run.count), vectors), f"{path.name} holds other vectors than the .npy")
    if hasattr(inner, "hnsw"):
        _, found = index.search(queries, top)
        recall = np.mean([len(set(ids[best[q]]) & set(found[q])) / top for q in range(QUERIES)])
        print(f"ok: {path.name} recall@{top} {recall:.4f} with its own efSearch {inner.hnsw.efSearch}")
        check(recall >= 0.9, f"{path.name} finds {recall:.3f} of the top {top}")
        # A search as wide as the index must find everything that its graph connects.
        inner.hnsw.efSearch = run.count
    _, found = index.search(queries, top)
    equal = equal_answers(scores, found, ids, best)
    check(equal == QUERIES, f"{path.name} answers {QUERIES - equal} of {QUERIES} queries unlike the brute force")
    outer = type(faiss.downcast_index(index)).__name__
    kind = type(inner).__name__ if outer == type(inner).__name__ else f"{outer} over {type(inner).__name__}"
    print(f"ok: {path.name} {fourcc} {kind}, {index.ntotal} x {index.d}, top {top} of {QUERIES} queries as in NumPy")
