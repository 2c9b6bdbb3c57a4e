import { openRun } from "@ragline/artifacts";
import { uploadRun } from "./upload-run.js";

// A process of its own, so that a test can kill it: `node upload-process-fixture.js <run> <url>`.
const [, , dir = "", url = ""] = process.argv;
await uploadRun(await openRun(dir), { url, maxBatchPoints: 3 });
