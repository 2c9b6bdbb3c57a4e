import { details, type Section, table } from "./elements.js";
import { bytes } from "./format.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Checksums of what the run wrote and of the models that it used. */
export function fileSection({ manifest }: ReportContent): Section {
  const outputs = (manifest.outputs ?? []).map(({ name, sha256, bytes: size }) => [
    name,
    html`<code>${sha256}</code>`,
    bytes(size),
  ]);
  const models = (manifest.models ?? []).map((model) => [
    model.stage,
    model.name,
    text(model["hugging_face_id"]),
    text(model["precision"]),
    text(model["license"]),
  ]);
  const files = (manifest.models ?? []).flatMap((model) =>
    (model.files ?? []).map(({ name, sha256, bytes: size }) => [
      model.name,
      name,
      html`<code>${sha256}</code>`,
      bytes(size),
    ]),
  );
  return {
    id: "files",
    title: "Files and checksums",
    content: html`${table(outputs, { caption: "Files of the run", head: ["file", "SHA-256", "size"], textColumns: 2 })}${table(models, { caption: "Models", head: ["stage", "model", "Hugging Face id", "precision", "licence"], textColumns: 5 })}${details(
      "Files of the models",
      table(files, { caption: "Files of the models", head: ["model", "file", "SHA-256", "size"], textColumns: 3 }),
    )}${
      manifest.manifest_sha256 === undefined
        ? undefined
        : html`<p class="note">Checksum of the manifest: <code>${manifest.manifest_sha256}</code></p>
`
    }`,
  };
}
