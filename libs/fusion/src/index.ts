export {
  type FusedCandidate,
  type FuseOptions,
  type FusionMethod,
  type FusionRecord,
  type FusionSource,
  fuse,
  fusionMethods,
  fusionRecord,
  type RankedList,
} from "./fuse.js";
export {
  checkFusionWeights,
  FusionWeightError,
  type ListKind,
  listWeights,
  parseFusionWeights,
  type WeighedList,
} from "./list-weights.js";
export { mixRerank, type RerankedCandidate } from "./mix-rerank.js";
