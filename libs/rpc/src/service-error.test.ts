import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Metadata, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema, StatusSchema } from "./google-rpc.js";
import { RaglineError } from "./ragline-error.js";
import { fromServiceError, toServiceError } from "./service-error.js";

const origin = { name: "dense service", address: "unix:/run/dense.sock" };

/** The google.rpc messages in the trailer of an error, by type name. */
function sentDetails(error: RaglineError) {
  const [bytes] = toServiceError(error).metadata.get("grpc-status-details-bin");
  const sent = fromBinary(StatusSchema, bytes as Buffer);
  return { sent, names: sent.details.map(({ typeUrl }) => typeUrl.replace("type.googleapis.com/google.rpc.", "")) };
}

test.each([
  ["NOT_FOUND", ["ErrorInfo"]],
  ["RESOURCE_EXHAUSTED", ["ErrorInfo", "RetryInfo"]],
  ["UNAVAILABLE", ["ErrorInfo", "RetryInfo"]],
  ["INVALID_ARGUMENT", ["ErrorInfo", "BadRequest"]],
] as const)("%s is sent with %j", (code, expected) => {
  const { sent, names } = sentDetails(new RaglineError(code, "SOME_REASON", "what and where"));
  expect(names).toEqual(expected);
  expect(sent).toMatchObject({ code: status[code], message: "what and where" });
});

test("the details hold what the error holds, in the messages of google.rpc", () => {
  const full = sentDetails(
    new RaglineError("UNAVAILABLE", "BUSY", "m", { details: { queue: "64" }, retryDelayMs: 2500 }),
  );
  const info = full.sent.details.map((any) => anyUnpack(any, ErrorInfoSchema)).find(Boolean);
  const retry = full.sent.details.map((any) => anyUnpack(any, RetryInfoSchema)).find(Boolean);
  expect(info).toMatchObject({ reason: "BUSY", domain: "ragline", metadata: { queue: "64" } });
  expect(retry?.retryDelay).toMatchObject({ seconds: 2n, nanos: 500_000_000 });
  const violations = [{ field: "open.model", description: "unknown" }];
  const wrong = sentDetails(new RaglineError("INVALID_ARGUMENT", "R", "m", { violations }));
  const bad = wrong.sent.details.map((any) => anyUnpack(any, BadRequestSchema)).find(Boolean);
  expect(bad?.fieldViolations).toMatchObject(violations);
});

// Field numbers and types as in googleapis, checked against bytes written by hand: 1: code 5, 2: "m", 3: Any.
test("the trailer has the wire form of google.rpc.Status", () => {
  const [bytes] = toServiceError(new RaglineError("NOT_FOUND", "R", "m")).metadata.get("grpc-status-details-bin");
  const typeUrl = "type.googleapis.com/google.rpc.ErrorInfo";
  const info = Buffer.concat([
    Buffer.from([0x0a, 1]),
    Buffer.from("R"),
    Buffer.from([0x12, 7]),
    Buffer.from("ragline"),
  ]);
  const any = Buffer.concat([
    Buffer.from([0x0a, typeUrl.length]),
    Buffer.from(typeUrl),
    Buffer.from([0x12, info.length]),
    info,
  ]);
  const expected = Buffer.concat([
    Buffer.from([0x08, 5, 0x12, 1]),
    Buffer.from("m"),
    Buffer.from([0x1a, any.length]),
    any,
  ]);
  expect(Buffer.from(bytes as Buffer).toString("hex")).toBe(expected.toString("hex"));
});

test("what is sent is what is caught, for any text", () => {
  const codes = ["INVALID_ARGUMENT", "UNAVAILABLE", "INTERNAL", "NOT_FOUND"] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...codes),
      fc.string({ unit: "grapheme", maxLength: 200 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ unit: "grapheme" })),
      fc.integer({ min: 0, max: 100_000 }),
      (code, message, details, retryDelayMs) => {
        const thrown = new RaglineError(code, "SOME_REASON", message, { details, retryDelayMs });
        const caught = fromServiceError(toServiceError(thrown), origin);
        expect(caught).toMatchObject({ code: thrown.code, reason: "SOME_REASON", message, details: { ...details } });
        if (code === "UNAVAILABLE") expect(caught.retryDelayMs).toBe(retryDelayMs);
      },
    ),
    { seed: 7 },
  );
});

test("a message that cannot be sent as it is is cut and mended", () => {
  const { details } = toServiceError(new RaglineError("INTERNAL", "R", `\ud800${"x".repeat(50_000)}`));
  expect(details).toHaveLength(2001);
  expect(details.startsWith("\ufffdxxx")).toBe(true);
});

const made = (code: number, details: string) =>
  Object.assign(new Error(details), { code, details, metadata: new Metadata() });

test.each([
  [
    "UNAVAILABLE",
    "No connection established. Last error: x",
    "NOT_REACHABLE",
    /is not reachable: .*; is it running\?$/,
  ],
  ["UNAVAILABLE", "Connection dropped", "CONNECTION_LOST", /went away before it had answered: Connection dropped; /],
  ["CANCELLED", "Call cancelled", "CONNECTION_LOST", /went away before it had answered: Call cancelled; /],
  ["CANCELLED", "Cancelled on client", "CANCELLED", /^the call to dense service at .* was cancelled$/],
  ["DEADLINE_EXCEEDED", "Deadline exceeded after 5.001s", "DEADLINE_EXCEEDED", /did not finish within 5000 ms$/],
  ["UNIMPLEMENTED", "The server does not implement /a/B", "UNIMPLEMENTED", /right service and version\?$/],
  ["INTERNAL", "Received RST_STREAM with code 2.", "INTERNAL", /failed: Received RST_STREAM with code 2$/],
] as const)("%s without details (%s) becomes %s", (code, details, reason, sentence) => {
  const caught = fromServiceError(made(status[code], details), { ...origin, deadlineMs: 5000 });
  expect(caught).toMatchObject({ codeName: reason === "CONNECTION_LOST" ? "UNAVAILABLE" : code, reason });
  expect(caught.message).toMatch(sentence);
  expect(caught.message).toContain("dense service at unix:/run/dense.sock");
});

test("details of another domain, or none that can be read, are not taken for ours", () => {
  const error = made(status.NOT_FOUND, "no such thing");
  error.metadata.set("grpc-status-details-bin", Buffer.from([0xff, 0xff]));
  expect(fromServiceError(error, origin).message).toContain("failed: no such thing");
});
