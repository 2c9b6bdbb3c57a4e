import { create } from "@bufbuild/protobuf";
import { type EmbedRequest, EmbedRequestSchema } from "@ragline/contracts";
import { status } from "@ragline/rpc";
import { expect, test, vi } from "vitest";
import { takeOpen } from "./index.js";

const open = create(EmbedRequestSchema, { kind: { case: "open", value: { model: "m" } } });
const texts = (firstIndex: bigint) => create(EmbedRequestSchema, { kind: { case: "texts", value: { firstIndex } } });
const empty = create(EmbedRequestSchema);

/** The requests of a caller, and whether reading them was ended. */
function sent(...requests: EmbedRequest[]) {
  const closed = vi.fn<() => void>();
  async function* stream(): AsyncGenerator<EmbedRequest> {
    try {
      yield* requests;
    } finally {
      closed();
    }
  }
  return { stream: stream(), closed };
}

test("the opening message comes first, then the items in order", async () => {
  const { stream, closed } = sent(open, texts(0n), texts(5n));
  const taken = await takeOpen(stream, "texts");
  expect(taken.open.model).toBe("m");
  const seen: bigint[] = [];
  for await (const { firstIndex } of taken.items) seen.push(firstIndex);
  expect(seen).toEqual([0n, 5n]);
  expect(closed).toHaveBeenCalledOnce();
});

test.each([
  ["nothing", []],
  ["items at once", [texts(0n), open]],
  ["an empty message", [empty, open]],
])("a caller who sends %s is told to open first", async (_, requests) => {
  const { stream, closed } = sent(...requests);
  await expect(takeOpen(stream, "texts")).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    reason: "OPEN_MISSING",
    message: 'the first message of the stream must be "open", with the model to use',
  });
  expect(closed).toHaveBeenCalledOnce();
});

test.each([
  ["open", open],
  ["an empty message", empty],
])("after open, %s is refused, when its turn comes", async (name, second) => {
  const { stream, closed } = sent(open, texts(0n), second, texts(1n));
  const { items } = await takeOpen(stream, "texts");
  expect(await items.next()).toMatchObject({ done: false, value: { firstIndex: 0n } });
  await expect(items.next()).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    reason: "UNEXPECTED_MESSAGE",
    message: `after "open" the stream takes only "texts", not "${name}"`,
  });
  expect(closed).toHaveBeenCalledOnce();
});

test("a stage that stops early ends the reading", async () => {
  const { stream, closed } = sent(open, texts(0n), texts(1n));
  const { items } = await takeOpen(stream, "texts");
  await items.next();
  await items.return(undefined);
  expect(closed).toHaveBeenCalledOnce();
});
