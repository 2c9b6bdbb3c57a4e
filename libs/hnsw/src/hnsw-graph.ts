/**
 * A hierarchical navigable small-world graph over the rows of a matrix, laid out as FAISS keeps it: the links of a row on
 * layer l (0 is the bottom, with all rows) are in `neighbors` from `offsets[row] + slotsBelow[l]` up to
 * `offsets[row] + slotsBelow[l + 1]`; -1 marks the end of a list that is not full.
 */
export interface HnswGraph {
  /** Most links of a row on each layer above the bottom; twice as many on the bottom. */
  readonly m: number;
  /** How many candidates were looked at for each row's links. */
  readonly efConstruction: number;
  /** Probability that a row's highest layer is l, for each l. */
  readonly layerProbabilities: Float64Array;
  /** Link slots that a row has on the layers below l, for each l up to and with the number of layers. */
  readonly slotsBelow: Int32Array;
  /** On how many layers each row is, at least 1. */
  readonly levels: Int32Array;
  /** Where each row's slots begin; one entry more than rows, the last being the number of slots. */
  readonly offsets: Float64Array;
  readonly neighbors: Int32Array;
  /** The row that a search starts at; -1 when there are no rows. */
  readonly entryPoint: number;
  /** The highest layer with a row on it; -1 when there are no rows. */
  readonly maxLayer: number;
}
