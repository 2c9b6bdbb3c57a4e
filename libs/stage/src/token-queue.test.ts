import { status } from "@ragline/rpc";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenQueue } from "./token-queue.js";

test("batches are taken up to the limit; the next is refused at once, with the time to wait", () => {
  const depths: number[] = [];
  const queue = new TokenQueue({ maxTokens: 100, onDepth: (depth) => depths.push(depth) });
  const leave = queue.admit(60);
  queue.admit(40);
  expect(() => queue.admit(1)).toThrow(
    expect.objectContaining({ code: status.RESOURCE_EXHAUSTED, reason: "QUEUE_FULL", retryDelayMs: 1000 }),
  );
  leave();
  leave();
  expect(queue.tokens).toBe(40);
  queue.admit(60);
  expect(depths).toEqual([1, 2, 1, 2]);
});

test("a batch that is larger than the limit is taken when nothing else is inside", () => {
  const queue = new TokenQueue({ maxTokens: 10 });
  const leave = queue.admit(1000);
  expect(() => queue.admit(1)).toThrow("takes no batch of 1 more");
  leave();
  queue.admit(1000);
});

test("in whatever order batches come and go, the tokens inside are theirs and never above the limit but for one alone", () => {
  const step = fc.record({ tokens: fc.integer({ min: 0, max: 60 }), leaves: fc.option(fc.nat(20)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new TokenQueue({ maxTokens: 50 });
      const inside: { tokens: number; leave: () => void }[] = [];
      for (const { tokens, leaves } of steps) {
        if (leaves === null) {
          const fits = inside.length === 0 || queue.tokens + tokens <= 50;
          const admit = () => inside.push({ tokens, leave: queue.admit(tokens) });
          if (fits) admit();
          else expect(admit).toThrow(expect.objectContaining({ reason: "QUEUE_FULL" }));
        } else {
          for (const { leave } of inside.splice(leaves % Math.max(1, inside.length), 1)) leave();
        }
        expect(queue.tokens).toBe(inside.reduce((sum, each) => sum + each.tokens, 0));
        if (inside.length > 1) expect(queue.tokens).toBeLessThanOrEqual(50);
      }
    }),
    { seed: 9 },
  );
});
