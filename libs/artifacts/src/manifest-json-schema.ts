import { z } from "zod";
import { manifestSchema } from "./manifest.js";

/** The JSON Schema of the manifest (draft 2020-12), as committed in schema/processing-summary.schema.json. */
export function manifestJsonSchema(): object {
  return {
    $id: "urn:ragline:schema:processing-summary:v4",
    title: "Ragline processing summary",
    description:
      "processing_summary.json, the manifest of a run, schema v4.0 and v4.1. Keys are only ever added, so readers keep those that they do not know.",
    ...z.toJSONSchema(manifestSchema),
  };
}
