import { workerData } from "node:worker_threads";

// Ends the process when it holds more memory than it may, or when whoever started it has gone.

const { maxBytes } = workerData as { maxBytes: number };
const parent = process.ppid;
const intervalMs = 25;

setInterval(() => {
  if (process.memoryUsage.rss() > maxBytes || process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, intervalMs);
