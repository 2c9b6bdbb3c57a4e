// A process that pulls as its argument says, for tests that need several of them, or one to end.
import { type PullOptions, pullFiles } from "./pull-files.js";

const { files } = await pullFiles(JSON.parse(process.argv[2] ?? "{}") as PullOptions);
process.stdout.write(JSON.stringify(files.map(({ name, fetched }) => ({ name, fetched }))));
