export { isMissing } from "./is-missing.js";
export { makeDirectories } from "./make-directories.js";
export {
  type FoundPartial,
  findPartials,
  newPartial,
  type Partial,
  type PartialKind,
  removeStalePartials,
} from "./partials.js";
export { placeFile, placeText } from "./place-file.js";
