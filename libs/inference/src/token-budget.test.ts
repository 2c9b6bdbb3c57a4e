import fc from "fast-check";
import { expect, test } from "vitest";
import { type Resize, TokenBudget } from "./token-budget.js";

/** Makes full calls whose throughput depends on their size. */
function makeCalls(budget: TokenBudget, count: number, tokensPerSecond: (tokens: number) => number): void {
  for (let i = 0; i < count; i++) {
    const { tokens } = budget;
    budget.succeeded({ tokens, seconds: tokens / tokensPerSecond(tokens) });
  }
}

test.each([
  ["rises", (tokens: number) => tokens, 4096],
  ["is flat", () => 1000, 64],
  ["peaks at 512", (tokens: number) => (tokens <= 512 ? tokens : 512 ** 2 / tokens), 512],
])("where throughput %s the budget finds the best size", (_, speed, best) => {
  const budget = new TokenBudget({ limitTokens: 4096, startTokens: 64 });
  makeCalls(budget, 30, speed);
  expect(budget.tokens).toBe(best);
});

test("calls that do not fill the budget say nothing about its size", () => {
  const budget = new TokenBudget({ limitTokens: 4096, startTokens: 64 });
  for (let i = 0; i < 20; i++) budget.succeeded({ tokens: 32, seconds: 0.01 });
  expect(budget.tokens).toBe(64);
});

test("memory that runs out halves the call, and that size is not tried again for a while", () => {
  const told: Resize[] = [];
  const budget = new TokenBudget({ limitTokens: 1024, onResize: (resize) => told.push(resize) });
  budget.outOfMemory(1024);
  expect(budget.tokens).toBe(512);
  makeCalls(budget, 20, (tokens) => tokens);
  expect(budget.tokens).toBeLessThan(1024);
  makeCalls(budget, 200, (tokens) => tokens);
  expect(budget.tokens).toBeGreaterThanOrEqual(1023);
  expect(told[0]).toEqual({ cause: "out_of_memory", fromTokens: 1024, toTokens: 512 });
  expect(budget.resizeCount).toBe(told.length);
  expect(budget.resizes).toEqual(told);
});

test("a limit that is set before the first call is where it starts, later it is a change", () => {
  const budget = new TokenBudget({ limitTokens: 4096, startTokens: 2048 });
  budget.setLimit(1);
  budget.setLimit(1024);
  expect([budget.tokens, budget.resizeCount]).toEqual([1024, 0]);
  budget.succeeded({ tokens: 8, seconds: 1 });
  budget.setLimit(256);
  expect(budget.resizes).toEqual([{ cause: "soft_limit", fromTokens: 1024, toTokens: 256 }]);
});

test("whatever happens it is at least one token and never above its limit, and every change is counted", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("succeeded" as const), value: fc.double({ min: 1e-6, max: 10, noNaN: true }) }),
    fc.record({
      do: fc.constantFrom("outOfMemory" as const, "setLimit" as const),
      value: fc.integer({ min: 1, max: 5000 }),
    }),
    fc.record({ do: fc.constantFrom("softLimit" as const, "latency" as const), value: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let limit = 2048;
      let told = 0;
      const budget = new TokenBudget({ limitTokens: limit, onResize: () => told++ });
      for (const { do: what, value } of steps) {
        const before = budget.tokens;
        if (what === "succeeded") budget.succeeded({ tokens: before, seconds: value });
        else if (what === "setLimit") budget.setLimit((limit = value));
        else if (what === "outOfMemory") budget.outOfMemory(Math.min(value, before));
        else budget[what]();
        if (what === "outOfMemory" && before > 1) expect(budget.tokens).toBeLessThan(before);
        expect(budget.tokens).toBeGreaterThanOrEqual(1);
        expect(budget.tokens).toBeLessThanOrEqual(limit);
      }
      expect(budget.resizeCount).toBe(told);
    }),
    { seed: 11 },
  );
});
