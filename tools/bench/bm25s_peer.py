"""BM25 by bm25s, for search-throughput: indexes a corpus, then searches all queries once for every line on stdin.

usage: bm25s_peer.py FILE, a JSON object of "texts", "queries" and "k". Writes one JSON object a line.
"""

import json
import sys
import time

import bm25s
import Stemmer

with open(sys.argv[1]) as file:
    data = json.load(file)
stemmer = Stemmer.Stemmer("english")
tokenize = {"stopwords": "en", "stemmer": stemmer, "show_progress": False}
index = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
index.index(bm25s.tokenize(data["texts"], **tokenize), show_progress=False)
print(json.dumps({"version": bm25s.__version__}), flush=True)
for _ in sys.stdin:
    started = time.process_time()
    tokens = bm25s.tokenize(data["queries"], **tokenize)
    rows, _scores = index.retrieve(tokens, k=data["k"], show_progress=False, n_threads=1)
    seconds = time.process_time() - started
    print(json.dumps({"seconds": seconds, "first": [int(row[0]) for row in rows]}), flush=True)
