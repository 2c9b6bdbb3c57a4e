"""Qdrant's own engines take every point and answer: qdrant_client in local mode, and Qdrant Edge, the server's engine
in a library. The collection is the one that `ragline upload` makes; dense and BM25 scores must equal those by hand."""

import tempfile

from finished_run import check, require, run_from_arguments
from qdrant_schema import agrees, bm25_scores, collection_schema, dense_scores

require("qdrant_client")

BATCH = 256
TOP = 10


def local_mode(run, schema, points):
    """A collection in qdrant_client's local mode: (count, search, hybrid)."""
    from qdrant_client import QdrantClient, models

    # The REST models forbid unknown keys, as the server does.
    collection = models.CreateCollection(**schema)
    client = QdrantClient(":memory:")
    client.create_collection("run", vectors_config=collection.vectors, sparse_vectors_config=collection.sparse_vectors)
    for first in range(0, len(points), BATCH):
        client.upsert("run", [models.PointStruct(**point) for point in points[first : first + BATCH]], wait=True)

    def vector(value):
        return models.SparseVector(**value) if isinstance(value, dict) else value

    def search(name, value):
        answer = client.query_points("run", query=vector(value), using=name, limit=TOP)
        return [(point.id, point.score) for point in answer.points]

    def hybrid(vectors):
        prefetch = [models.Prefetch(query=vector(value), using=name, limit=100) for name, value in vectors.items()]
        answer = client.query_points("run", prefetch=prefetch, query=models.FusionQuery(fusion=models.Fusion.RRF), limit=TOP)
        return [point.id for point in answer.points]

    return client.count("run", exact=True).count, search, hybrid


def edge(run, schema, points):
    """A shard of Qdrant Edge: (count, search, hybrid)."""
    from edge_shard import EdgeCollection

    collection = EdgeCollection(tempfile.mkdtemp(prefix="ragline-edge-"), schema)
    for first in range(0, len(points), BATCH):
        collection.upsert(points[first : first + BATCH])
    return collection.count(), lambda name, value: collection.search(name, value, TOP), lambda vectors: collection.hybrid(vectors, TOP)


def prove(engine, version, made, run, points):
    count, search, hybrid = made
    check(count == run.count, f"{engine} holds {count} points, but the run has {run.count} chunks")
    asked = points[:: max(1, len(points) // 20)]
    lexical = run.lexical()
    for point in asked:
        for space in run.dense:
            query = point["vector"][space["name"]]
            found = search(space["name"], query)
            check(agrees(found, dense_scores(points, space["name"], query)), f"{engine}: {space['name']} ranks unlike cosine")
        for name in lexical:
            # The words of a chunk with weight 1 each, as a query has them.
            indices = point["vector"].get(name, {"indices": []})["indices"]
            if indices:
                found = search(name, {"indices": indices, "values": [1.0] * len(indices)})
                check(agrees(found, bm25_scores(points, name, indices)), f"{engine}: {name} scores unlike BM25 with idf")
    first = sum(hybrid(point["vector"])[:1] == [point["id"]] for point in asked)
    check(first >= 0.9 * len(asked), f"{engine}: only {first} of {len(asked)} points find themselves by hybrid search")
    spaces = f"{len(run.dense)} dense and {len(lexical)} BM25 spaces"
    print(f"ok: {engine} {version}: {count} points; {len(asked)} queries each over {spaces} score as by hand; hybrid (prefetch + RRF) finds {first} of {len(asked)} at the top")


if __name__ == "__main__":
    from importlib.metadata import version

    run = run_from_arguments()
    points = list(run.points())
    schema = collection_schema(run)
    print(f"ok: ragline upload makes {schema['vectors']} and {schema['sparse_vectors']}")
    prove("qdrant_client in local mode", version("qdrant-client"), local_mode(run, schema, points), run, points)
    require("qdrant_edge")
    prove("Qdrant Edge", version("qdrant-edge-py"), edge(run, schema, points), run, points)
