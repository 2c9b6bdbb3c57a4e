import { expect, test } from "vitest";
import { parseQdrantUrl } from "./qdrant-address.js";

test.each([
  ["http://127.0.0.1", "http://127.0.0.1:6333", 6333, "", true],
  ["http://localhost:80", "http://localhost:80", 80, "", true],
  ["https://x.example:443/", "https://x.example:443", 443, "", true],
  ["https://x.example", "https://x.example:6333", 6333, "", true],
  ["http://x.example:8080/qdrant/", "http://x.example:8080/qdrant", 8080, "/qdrant", false],
  ["http://[::1]:7000", "http://[::1]:7000", 7000, "", true],
])("%s is %s", (text, url, port, prefix, isPrivate) => {
  expect(parseQdrantUrl(text)).toMatchObject({ url, port, prefix, isPrivate });
});
