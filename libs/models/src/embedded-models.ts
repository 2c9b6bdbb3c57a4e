import type { ModelEntryInput } from "./model-entry.js";

/** The models whose files come with Ragline, and BM25, which needs none. Their cards lie beside the files. */
export const embeddedModels: ModelEntryInput[] = [
  {
    key: "bge-small-en-v1.5",
    huggingFaceId: "BAAI/bge-small-en-v1.5",
    stage: "dense",
    loader: "encoder",
    dimension: 384,
    maxTokens: 512,
    pooling: "cls",
    prefixes: { query: "Represent this sentence for searching relevant passages: ", passage: "" },
    output: { name: "last_hidden_state", head: "hidden-states" },
    source: { kind: "embedded", folder: "bge-small-en-v1.5" },
    tokenizer: {
      file: {
        name: "tokenizer.json",
        bytes: 711396,
        sha256: "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
      },
    },
    inputs: { tokenTypes: "token_type_ids" },
    graphs: {
      fp32: {
        graph: {
          name: "model.onnx",
          bytes: 517485,
          sha256: "45537e0e7ddd089f0542e680113307f5f4eda7b25361d8a01b915657b4b2ae80",
        },
        externalData: [
          {
            name: "weights.bin",
            bytes: 33440768,
            sha256: "8d85b9cee71b749ff47ff245421155d9aa2b61185f38791ff2ff9d8c2c4e63f6",
          },
        ],
      },
      int8: {
        graph: {
          name: "model.int8.onnx",
          bytes: 576186,
          sha256: "56be1a2ddd7573e8f5e2594cda5f1bb4574643a8219f6c4b09b1fb3b7d4e5d23",
        },
        externalData: [
          {
            name: "weights.bin",
            bytes: 33440768,
            sha256: "8d85b9cee71b749ff47ff245421155d9aa2b61185f38791ff2ff9d8c2c4e63f6",
          },
        ],
      },
    },
    license: "MIT",
  },
  {
    key: "all-miniLM-l6",
    huggingFaceId: "sentence-transformers/all-MiniLM-L6-v2",
    aliases: ["all-MiniLM-L6-v2"],
    stage: "dense",
    loader: "encoder",
    dimension: 384,
    maxTokens: 256,
    pooling: "mean",
    output: { name: "last_hidden_state", head: "hidden-states" },
    source: { kind: "embedded", folder: "all-MiniLM-L6-v2" },
    tokenizer: {
      file: {
        name: "tokenizer.json",
        bytes: 466247,
        sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
      },
    },
    inputs: { tokenTypes: "token_type_ids" },
    graphs: {
      fp32: {
        graph: {
          name: "model.onnx",
          bytes: 660899,
          sha256: "73e7d1d214d6de3dfae2102693620abd9323c5012f4b085ec6d1df0153dc4bb1",
        },
        externalData: [
          {
            name: "weights.bin",
            bytes: 22740992,
            sha256: "bc6ddbdb0db3c8fb26a93855e2c410a5d3b142371b8a70868d6c4fc53ea3be88",
          },
        ],
      },
      int8: {
        graph: {
          name: "model.int8.onnx",
          bytes: 581369,
          sha256: "3cf10cec127a3029351bfd588983c1eb073610d5abdbb4c8e951d0d88ce41e93",
        },
        externalData: [
          {
            name: "weights.bin",
            bytes: 22740992,
            sha256: "bc6ddbdb0db3c8fb26a93855e2c410a5d3b142371b8a70868d6c4fc53ea3be88",
          },
        ],
      },
    },
    license: "Apache-2.0",
  },
  {
    key: "splade-tiny",
    huggingFaceId: "ragline/splade-tiny",
    stage: "sparse",
    loader: "splade",
    dimension: 30522,
    maxTokens: 512,
    output: { name: "sparse_weights", head: "sparse-weights" },
    source: { kind: "embedded", folder: "splade-tiny" },
    tokenizer: {
      file: {
        name: "tokenizer.json",
        bytes: 711649,
        sha256: "91f1def9b9391fdabe028cd3f3fcc4efd34e5d1f08c3bf2de513ebb5911a1854",
      },
    },
    inputs: { tokenTypes: "token_type_ids" },
    graphs: {
      fp32: {
        graph: {
          name: "model.onnx",
          bytes: 362425,
          sha256: "d03dff137ff039765d518acb188cd1968db17339d4a11e8a690ce80da343c715",
        },
        externalData: [
          {
            name: "weights.bin",
            bytes: 4515840,
            sha256: "25a1a75a89d7a807caddb3683dc023664fceba3ebe6852a856251c3164b2f9e4",
          },
        ],
      },
      int8: {
        graph: {
          name: "model.int8.onnx",
          bytes: 334097,
          sha256: "755675bd3145a77d392f085df216a6c97c752e95c0543983fc5347221336f7a1",
        },
        externalData: [
          {
            name: "weights.bin",
            bytes: 4515840,
            sha256: "25a1a75a89d7a807caddb3683dc023664fceba3ebe6852a856251c3164b2f9e4",
          },
        ],
      },
    },
    license: "Apache-2.0",
  },
  {
    key: "qdrant-bm25",
    huggingFaceId: "Qdrant/bm25",
    aliases: ["bm25"],
    stage: "sparse",
    loader: "bm25",
    dimension: 2 ** 31,
    maxTokens: 2 ** 31,
    license: "Apache-2.0",
  },
  {
    key: "qa-minilm-l6-cross-encoder",
    huggingFaceId: "ragline/qa-minilm-l6-cross-encoder",
    stage: "rerank",
    loader: "cross_encoder",
    dimension: 1,
    maxTokens: 512,
    output: { name: "logits", head: "logits" },
    source: { kind: "embedded", folder: "qa-minilm-l6-cross-encoder" },
    tokenizer: {
      file: {
        name: "tokenizer.json",
        bytes: 711647,
        sha256: "efc42ab3235407c0c052eb9ba36bc67a867520d2c82b2ddaf984980f51a38fb1",
      },
    },
    inputs: { tokenTypes: "token_type_ids" },
    graphs: {
      fp32: {
        graph: {
          name: "model.onnx",
          bytes: 749237,
          sha256: "efa596d5de10ba7ee036766b5d3ef70c32e0b7f0b1ca59eb34d0125fc0c9419a",
        },
        externalData: [
          {
            name: "weights.bin",
            bytes: 22889984,
            sha256: "9ce44706caf240e379c820b4f2133e590274dffa0a3e92de0a2c388631393568",
          },
        ],
      },
      int8: {
        graph: {
          name: "model.int8.onnx",
          bytes: 657401,
          sha256: "0d19011d36fdc34891659d27b8e1c08541083b5bb6eb61c78a04976347f41d17",
        },
        externalData: [
          {
            name: "weights.bin",
            bytes: 22889984,
            sha256: "9ce44706caf240e379c820b4f2133e590274dffa0a3e92de0a2c388631393568",
          },
        ],
      },
    },
    license: "Apache-2.0",
  },
];
