/** The document that a chunk is of, by its metadata, whichever chunker made it; "(no document)" where that names none. */
export function documentOf(metadata: Readonly<Record<string, unknown>>): string {
  for (const key of ["relative_path", "source_file", "filename", "document_id"]) {
    const value = metadata[key];
    if (typeof value === "string" && value !== "") return value;
  }
  return "(no document)";
}
