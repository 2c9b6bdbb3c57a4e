"""A run's directory as the oracles see it: by the documented names and formats, with none of Ragline's own code."""

import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def require(*modules):
    """Imports modules; where one is missing, says so and ends the program as a success."""
    found = []
    for name in modules:
        try:
            found.append(__import__(name))
        except ImportError:
            print(f"skipped: python module {name} is missing")
            sys.exit(0)
    return found


def check(condition, sentence):
    """Ends the program with a sentence unless the condition holds."""
    if not condition:
        print(f"FAILED: {sentence}")
        sys.exit(1)


class FinishedRun:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.manifest = json.loads((self.directory / "processing_summary.json").read_text("utf-8"))
        stats = [path for path in self.directory.glob("*_stats.json")]
        check(len(stats) == 1, f"{directory} has {len(stats)} files *_stats.json instead of one")
        self.prefix = stats[0].name.removesuffix("_stats.json")
        self.stats = json.loads(stats[0].read_text("utf-8"))
        self.dense = self.stats["dense"]
        self.count = self.manifest["chunk_count"]

    def path(self, suffix):
        return self.directory / f"{self.prefix}_{suffix}"

    def points(self):
        """The points of the JSON lines file, one after the other."""
        with open(self.path("qdrant.jsonl"), encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def lexical(self):
        """Names of the BM25 spaces: those whose average length the manifest records."""
        models = (self.manifest.get("sparse_run") or {}).get("models", [])
        return [model["name"] for model in models if "average_length" in model]


def run_from_arguments():
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} <run directory>", file=sys.stderr)
        sys.exit(2)
    return FinishedRun(sys.argv[1])
