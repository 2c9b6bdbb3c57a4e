"""`ragline upload` into Qdrant's engine: an HTTP server on loopback that checks every request against Qdrant's published
REST models, which forbid unknown keys, and keeps the points in Qdrant Edge. Not the server itself, but its two halves."""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from finished_run import check, require, run_from_arguments
from qdrant_schema import RAGLINE, ragline

require("qdrant_client", "qdrant_edge", "pydantic")

from pydantic import ValidationError  # noqa: E402
from qdrant_client import models  # noqa: E402

from edge_shard import EdgeCollection  # noqa: E402

collections = {}
requests = []
# The upload that is killed once its third batch is stored, before it hears of that.
to_kill = []
killed_at = 3


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps({"result": value, "status": "ok"} if status == 200 else {"status": {"error": value}}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or "null")
        found = re.fullmatch(r"/collections/([^/?]+)(/points(?:/count)?)?(?:\?wait=true)?", self.path)
        requests.append(f"{self.command} {self.path}")
        try:
            self.answer(200, self.operate(found[1], f"{self.command} {found[2] or ''}".strip(), body))
        except KeyError:
            self.answer(404, "Not found")
        except ValidationError as error:
            self.answer(400, str(error))

    do_GET = do_PUT = do_POST = serve

    def operate(self, name, operation, body):
        if operation == "PUT":
            models.CreateCollection(**body)
            collections[name] = (body, EdgeCollection(tempfile.mkdtemp(prefix="ragline-edge-"), body))
            return True
        params, collection = collections[name]
        if operation == "GET":
            return {"status": "green", "config": {"params": params}}
        if operation == "PUT /points":
            models.PointsList(**body)
            collection.upsert(body["points"])
            if to_kill and sum(one.startswith("PUT") and "/points" in one for one in requests) == killed_at:
                to_kill.pop().send_signal(signal.SIGKILL)
            return {"operation_id": len(requests), "status": "completed"}
        if operation == "POST /points/count":
            models.CountRequest(**body)
            return {"count": collection.count()}
        if operation == "POST /points":
            models.PointRequest(**body)
            return collection.retrieve(body["ids"])
        raise KeyError(operation)


def is_alike(a, b, tolerance):
    """Whether JSON values are equal but for rounding of numbers."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_alike(value, b[key], tolerance) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(is_alike(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return abs(a - b) <= tolerance * max(1, abs(a))
    return type(a) is type(b) and a == b


def by_index(value):
    """A sparse vector in the order of its indices: the engine may keep another one."""
    if isinstance(value, list):
        return value
    pairs = sorted(zip(value["indices"], value["values"]))
    return [[index for index, _ in pairs], [one for _, one in pairs]]


def is_same(stored, point):
    # Qdrant reads JSON numbers to within a last digit, and normalises dense vectors once more.
    return is_alike(point["payload"], stored["payload"], 1e-12) and is_alike(
        {name: by_index(value) for name, value in point["vector"].items()},
        {name: by_index(value) for name, value in stored["vector"].items()},
        1e-6,
    )


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        # The upload that is killed cuts its connection; everything else is to be seen.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


run = run_from_arguments()
server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
batch = max(1, run.count // 8)
command = [shutil.which("node"), str(RAGLINE), "upload", "--run", str(run.directory), "--url", url, "--batch-points", str(batch)]
ragline("upload", "--run", str(run.directory), "--dry-run")
to_kill.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
killed = to_kill[0].wait()
check(killed == -signal.SIGKILL, f"the upload that was to be killed ended with {killed}")
for turn in ("resumed", "second"):
    report = ragline("upload", "--run", str(run.directory), "--url", url)
    check(report["storedPoints"] == run.count, f"the {turn} upload left {report['storedPoints']} of {run.count} points")
    check((report["resumedAt"] > 0) == (turn == "resumed"), f"the {turn} upload went on at {report['resumedAt']}")
    print(
        f"ok: {turn} upload, from point {report['resumedAt']} to {report['points']} "
        f"in {report['batches']} requests and {report['seconds']:.1f} s"
    )
_, collection = collections[report["collection"]]
for point in run.points():
    stored = collection.retrieve([point["id"]])
    check(len(stored) == 1 and is_same(stored[0], point), f"the point {point['id']} is not stored as it is in the file")
check(collection.count() == run.count, "a second upload changed the number of points")
print(f"ok: all {run.count} points are stored as they are in the file: vectors, sparse vectors and payload")
server.shutdown()
