import type { Manifest } from "./manifest.js";

/**
 * What a reader should be told of a manifest that parses, one sentence each: a stage that was on but has no section, schema
 * versions that do not go together, counts that contradict each other. A v4.0 manifest needs no run sections.
 */
export function manifestWarnings(manifest: Manifest): string[] {
  return [...missingSections(manifest), ...mixedVersions(manifest), ...contradictingCounts(manifest)];
}

function* missingSections({
  schema_version: version,
  feature_toggles: toggles,
  ...manifest
}: Manifest): Generator<string> {
  if (/^v?4(\.0)*$/.test(version)) return;
  const stages = [
    ["enable_sparse", toggles?.enable_sparse, "sparse_run", manifest.sparse_run],
    ["enable_rerank", toggles?.enable_rerank, "rerank_run", manifest.rerank_run],
  ] as const;
  for (const [toggle, on, section, run] of stages) {
    if (on === true && !run) yield `${toggle} is on, but there is no ${section}: what that stage did is not known.`;
    if (on === false && run?.enabled !== false && run) yield `${toggle} is off, but there is a ${section}.`;
  }
  if (!manifest.dense_run) yield "There is no dense_run: what made the dense vectors is not known.";
}

function* mixedVersions({ schema_version: version, compatibility }: Manifest): Generator<string> {
  const current = compatibility?.current;
  if (current !== undefined && plain(current) !== plain(version))
    yield `schema_version is ${version}, but compatibility.current is ${current}.`;
}

const plain = (version: string): string => version.replace(/^v/, "");

function* contradictingCounts(manifest: Manifest): Generator<string> {
  const { chunk_count: chunks, dense_run: dense, sparse_run: sparse, rerank_run: rerank } = manifest;
  const embeddings = dense?.total_embeddings_generated;
  const models = dense?.models_executed?.length;
  // The Python pipeline counted the primary model's vectors alone.
  if (embeddings !== undefined && embeddings !== chunks && embeddings !== chunks * (models ?? 1))
    yield `dense_run counts ${embeddings} embeddings, but there are ${chunks} chunks and ${models ?? "no"} models.`;
  const { total, available } = sparse?.vectors ?? {};
  if (total !== undefined && total !== chunks) yield `sparse_run counts ${total} chunks, but chunk_count is ${chunks}.`;
  if (total !== undefined && available !== undefined && available > total)
    yield `sparse_run counts ${available} vectors of ${total} chunks.`;
  const [candidates, scores] = [rerank?.candidate_ids?.length, rerank?.scores?.length];
  if (rerank?.executed && candidates !== undefined && scores !== undefined && candidates !== scores)
    yield `rerank_run has ${candidates} candidates, but ${scores} scores.`;
}
