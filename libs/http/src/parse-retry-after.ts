/** A Retry-After header (RFC 9110, section 10.2.3: seconds or a date) in milliseconds from now; undefined when unusable. */
export function parseRetryAfter(header: string, now = Date.now()): number | undefined {
  const text = header.trim();
  if (text === "") return undefined;
  const seconds = Number(text);
  const ms = Number.isNaN(seconds) ? Date.parse(text) - now : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
