#!/bin/sh
# Reads finished runs with the tools that people use them in.
# Usage: tools/oracles/run.sh [--venv <dir>] <run directory>...
# --venv makes a virtual environment there, if there is none, with the packages of requirements.txt.
set -u
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
if ! command -v python3 > /dev/null; then
  echo "skipped: python3 is missing"
  exit 0
fi
python=python3
if [ "${1:-}" = "--venv" ] && [ $# -ge 2 ]; then
  [ -x "$2/bin/python" ] || python3 -m venv "$2" || exit 1
  "$2/bin/python" -m pip install --quiet --requirement "$here/requirements.txt" || exit 1
  python=$2/bin/python
  shift 2
fi
if [ $# -eq 0 ]; then
  echo "usage: tools/oracles/run.sh [--venv <dir>] <run directory>..." >&2
  exit 2
fi
failed=0
for run in "$@"; do
  for oracle in numpy faiss qdrant upload legacy; do
    echo "== ${oracle}_oracle.py $run"
    "$python" -B "$here/${oracle}_oracle.py" "$run" || failed=1
  done
done
exit $failed
