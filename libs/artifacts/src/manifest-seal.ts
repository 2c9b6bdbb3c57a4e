import { sha256Of } from "./sha256-file.js";

const zeros = "0".repeat(64);
const sealPattern = /("manifest_sha256":\s*")([0-9a-f]{64})"\s*\}\s*$/;

/** What the seal of a manifest says about its bytes. */
export type ManifestSeal = "intact" | "broken" | "missing";

/**
 * A manifest as the bytes that are written, with a checksum of themselves in its last key: `manifest_sha256` is the
 * SHA-256 of the file with the 64 digits of that value replaced by zeros. Bytes are hashed, not values, because a changed
 * digit can leave a number's value as it was.
 */
export function sealManifest(manifest: object): string {
  const text = `${JSON.stringify({ ...manifest, manifest_sha256: zeros }, undefined, 2)}\n`;
  return text.replace(sealPattern, (ending, key: string) =>
    ending.replace(`${key}${zeros}`, `${key}${sha256Of(text)}`),
  );
}

/** Whether a manifest's bytes are those that were sealed. */
export function checkManifestSeal(bytes: Uint8Array): ManifestSeal {
  // Latin-1 keeps every byte, so that bytes that are not UTF-8 cannot pass for others.
  const text = Buffer.from(bytes).toString("latin1");
  const seal = sealPattern.exec(text);
  if (!seal) return "missing";
  const [, key = "", digits = ""] = seal;
  const at = seal.index + key.length;
  const unsealed = Buffer.from(`${text.slice(0, at)}${zeros}${text.slice(at + zeros.length)}`, "latin1");
  return sha256Of(unsealed) === digits ? "intact" : "broken";
}
