import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const provider: Partial<Record<NodeJS.Platform, string>> = {
  linux: "libonnxruntime_providers_cuda.so",
  win32: "onnxruntime_providers_cuda.dll",
};

/**
 * Why onnxruntime-node cannot compute on CUDA devices here; undefined if it can as far as its files tell. Its npm package
 * holds no CUDA provider: a script of its own downloads that.
 */
export function cudaProblem(): string | undefined {
  const file = provider[process.platform];
  if (!file) return `onnxruntime-node has no CUDA provider for ${process.platform}`;
  const bin = join(dirname(dirname(createRequire(import.meta.url).resolve("onnxruntime-node"))), "bin");
  const found = readdirSync(bin).some((version) =>
    existsSync(join(bin, version, process.platform, process.arch, file)),
  );
  return found
    ? undefined
    : `onnxruntime-node has no CUDA provider (${file} is not beside it); "node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12" downloads it`;
}
