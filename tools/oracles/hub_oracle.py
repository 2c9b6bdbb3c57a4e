"""huggingface_hub finds what Ragline pulled, and Ragline finds what huggingface_hub fetched: one cache, both ways.

Serves a small repository from a hub on this machine (libs/loopback-hub) and asks both. No other network is used.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RAGLINE = ["node", str(ROOT / "services/orchestrator/bin/ragline.mjs")]
KEY = "qdrant-minilm-onnx"
REPOSITORY = "Qdrant/all-MiniLM-L6-v2-onnx"
FILES = ("model.onnx", "tokenizer.json")

try:
    import huggingface_hub
except ImportError:
    print("skipped: the module huggingface_hub is missing")
    sys.exit(0)


def serve(folder: pathlib.Path) -> tuple[subprocess.Popen, str]:
    """Starts the hub over a folder of repositories; returns its process and address."""
    hub = subprocess.Popen(
        ["node", str(ROOT / "libs/loopback-hub/dist/main.js"), str(folder)], stdout=subprocess.PIPE, text=True
    )
    return hub, hub.stdout.readline().strip()


def ragline(folder: pathlib.Path, endpoint: str, home: pathlib.Path, *args: str) -> str:
    env = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home)}
    done = subprocess.run([*RAGLINE, "models", *args], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        source = folder / "hub" / REPOSITORY
        source.mkdir(parents=True)
        (source / "model.onnx").write_bytes(bytes(range(256)) * 4096)
        (source / "tokenizer.json").write_text('{"version": "1.0"}')
        hub, endpoint = serve(folder / "hub")
        try:
            # Ragline pulls; huggingface_hub finds, with no network.
            ours = folder / "ours"
            ragline(folder, endpoint, ours, "pull", KEY)
            for name in FILES:
                path = huggingface_hub.hf_hub_download(
                    REPOSITORY, name, cache_dir=ours / "hub", local_files_only=True
                )
                assert pathlib.Path(path).read_bytes() == (source / name).read_bytes(), name
            info = huggingface_hub.scan_cache_dir(ours / "hub")
            assert not info.warnings, info.warnings
            (repo,) = info.repos
            (revision,) = repo.revisions
            assert repo.repo_id == REPOSITORY and revision.refs == {"main"}, repo
            assert {file.file_name for file in revision.files} == set(FILES), revision
            # With a network it sees that nothing has changed, and fetches nothing.
            blobs = {path.name: path.stat().st_mtime_ns for path in (ours / "hub").rglob("blobs/*")}
            for name in FILES:
                huggingface_hub.hf_hub_download(REPOSITORY, name, cache_dir=ours / "hub", endpoint=endpoint)
            assert blobs == {path.name: path.stat().st_mtime_ns for path in (ours / "hub").rglob("blobs/*")}

            # huggingface_hub fetches; Ragline finds, with no network.
            theirs = folder / "theirs"
            for name in FILES:
                huggingface_hub.hf_hub_download(REPOSITORY, name, cache_dir=theirs / "hub", endpoint=endpoint)
            before = sorted(str(path) for path in (theirs / "hub").rglob("*") if path.is_file())
            os.remove(folder / "ragline.models.lock")
            found = json.loads(ragline(folder, endpoint, theirs, "pull", KEY, "--local-files-only", "--json"))
            names = {file["name"] for file in found["models"][0]["files"]}
            assert names == set(FILES), names
            after = sorted(str(path) for path in (theirs / "hub").rglob("*") if path.is_file())
            assert before == after, "Ragline changed a cache that it only had to read"
            assert "sound" in ragline(folder, endpoint, theirs, "verify", KEY)
        finally:
            hub.terminate()
            hub.wait()
    print(f"one cache: huggingface_hub {huggingface_hub.__version__} and Ragline find each other's files")


if __name__ == "__main__":
    main()
