export { parseRetryAfter } from "./parse-retry-after.js";
