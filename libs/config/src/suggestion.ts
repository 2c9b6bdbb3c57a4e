import leven from "leven";

/** "; did you mean x?" with the nearest known name, or nothing where none is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const maxDistance = Math.max(2, Math.floor(name.length / 3));
  let nearest: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = leven(name, candidate, { maxDistance: maxDistance + 1 });
    if (distance <= maxDistance && distance < (nearest?.distance ?? Number.POSITIVE_INFINITY)) {
      nearest = { name: candidate, distance };
    }
  }
  return nearest ? `; did you mean ${nearest.name}?` : "";
}
