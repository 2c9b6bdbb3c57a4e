export { type DenseBlock, fromFloat32Bytes, toFloat32Bytes } from "./dense-block.js";
export { packSparse, type SparseBlock, type SparseVector, unpackSparse } from "./sparse-vector.js";
