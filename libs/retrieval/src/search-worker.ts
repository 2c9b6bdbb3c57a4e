import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type DenseShape, DenseShare } from "./dense-share.js";
import type { SearchReply, SearchRequest } from "./search-protocol.js";
import { NonFiniteScoreError } from "./top-k.js";

// A thread that holds a share of a matrix and searches it.

const port = parentPort as MessagePort;
const share = new DenseShare(workerData as DenseShape);

function answer(request: SearchRequest): SearchReply {
  if (request.type === "set") {
    share.set(request.firstRow, request.values);
    return { type: "done" };
  }
  try {
    return { type: "found", lists: share.search(request.queries, request.options) };
  } catch (error) {
    if (!(error instanceof NonFiniteScoreError)) throw error;
    const { row, query, score } = error;
    return { type: "not-finite", row, query, score };
  }
}

port.on("message", (request: SearchRequest) => port.postMessage(answer(request)));
