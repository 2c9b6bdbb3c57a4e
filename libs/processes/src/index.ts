export { type ChildCommand, childrenOf, descendantsOf } from "./child-processes.js";
export { isRunning } from "./is-running.js";
export { hasProcessUsage, peakResidentBytes, processorSeconds } from "./process-usage.js";
export { type ChildWatch, watchChildren } from "./watch-children.js";
