export { defaultWeight, type ListKind } from "./default-weight.js";
export {
  type FusedCandidate,
  type FuseOptions,
  type FusionMethod,
  type FusionRecord,
  type FusionSource,
  fuse,
  fusionRecord,
  type RankedList,
} from "./fuse.js";
export { mixRerank, type RerankedCandidate } from "./mix-rerank.js";
