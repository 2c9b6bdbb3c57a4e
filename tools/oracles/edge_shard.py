"""A collection in Qdrant Edge, which is the Qdrant server's own engine as a Python library."""

import qdrant_edge as edge


def edge_vector(value):
    return edge.SparseVector(value["indices"], value["values"]) if isinstance(value, dict) else value


class EdgeCollection:
    def __init__(self, path, schema):
        vectors = {
            name: edge.EdgeVectorParams(size=params["size"], distance=getattr(edge.Distance, params["distance"]))
            for name, params in schema["vectors"].items()
        }
        modifiers = {"idf": edge.Modifier.Idf}
        sparse = {
            name: edge.EdgeSparseVectorParams(modifier=modifiers.get(params.get("modifier")))
            for name, params in schema["sparse_vectors"].items()
        }
        self.shard = edge.EdgeShard.create(path, edge.EdgeConfig(vectors=vectors, sparse_vectors=sparse))

    def upsert(self, points):
        made = [
            edge.Point(
                id=point["id"],
                vector={name: edge_vector(value) for name, value in point["vector"].items()},
                payload=point["payload"],
            )
            for point in points
        ]
        self.shard.update(edge.UpdateOperation.upsert_points(made))

    def count(self):
        return self.shard.count(edge.CountRequest(exact=True))

    def search(self, name, value, limit):
        query = edge.Query.Nearest(edge_vector(value), using=name)
        return [(str(point.id), point.score) for point in self.shard.query(edge.QueryRequest(limit=limit, query=query))]

    def hybrid(self, vectors, limit):
        prefetches = [
            edge.Prefetch(limit=100, query=edge.Query.Nearest(edge_vector(value), using=name)) for name, value in vectors.items()
        ]
        request = edge.QueryRequest(limit=limit, query=edge.Fusion.Rrf(k=2), prefetches=prefetches)
        return [str(point.id) for point in self.shard.query(request)]

    def retrieve(self, ids):
        records = self.shard.retrieve(ids, with_payload=True, with_vector=True)
        return [{"id": str(record.id), "vector": rest_vectors(record.vector), "payload": record.payload} for record in records]


def rest_vectors(vectors):
    """Vectors as the REST API gives them."""
    return {
        name: value if isinstance(value, list) else {"indices": value.indices, "values": value.values}
        for name, value in vectors.items()
    }
