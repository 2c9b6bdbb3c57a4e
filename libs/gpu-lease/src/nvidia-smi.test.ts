import { expect, test } from "vitest";
import { fakeNvidiaSmi, printing, twoGpus } from "./fake-nvidia-smi.fixture.js";
import { NvidiaSmi } from "./nvidia-smi.js";
import { visibleGpus } from "./visible-gpus.js";

const isWindows = process.platform === "win32";
const mebibyte = 1024 ** 2;

test.skipIf(isWindows)(
  "the GPUs of the driver are told, by one process for all who ask at once, and kept for a moment",
  async () => {
    const fake = fakeNvidiaSmi(printing(twoGpus));
    const smi = new NvidiaSmi({ maxAgeMs: 60_000 });
    const [gpus, again] = await Promise.all([smi.gpus(), smi.gpus()]);
    expect(gpus).toEqual([
      {
        index: 0,
        uuid: "GPU-aaaa1111-0000",
        name: "NVIDIA H100 80GB HBM3",
        totalBytes: 81559 * mebibyte,
        usedBytes: 1024 * mebibyte,
      },
      { index: 1, uuid: "GPU-bbbb2222-0000", name: "NVIDIA T4", totalBytes: 15360 * mebibyte, usedBytes: 3 * mebibyte },
    ]);
    expect(again).toEqual(gpus);
    expect(await smi.gpus()).toEqual(gpus);
    expect(fake.calls()).toBe(1);
  },
);

test.skipIf(isWindows)("an answer that is too old is asked for anew", async () => {
  const fake = fakeNvidiaSmi(printing(twoGpus));
  const smi = new NvidiaSmi({ maxAgeMs: -1 });
  await smi.gpus();
  await smi.gpus();
  expect(fake.calls()).toBe(2);
});

test.skipIf(isWindows)("processes that the driver does not tell the memory of are left out", async () => {
  fakeNvidiaSmi(printing("17, GPU-a, 512\n18, GPU-a, [N/A]"));
  expect(await new NvidiaSmi().processes()).toEqual([{ pid: 17, uuid: "GPU-a", usedBytes: 512 * mebibyte }]);
});

test.skipIf(isWindows).each([
  [
    "fails",
    "echo 'NVIDIA-SMI has failed because it could not reach the driver' >&2; exit 9",
    "failed",
    /could not reach/,
  ],
  ["hangs", "exec sleep 60", "timeout", /did not answer within 300 ms/],
  ["prints nonsense", "echo hello", "unreadable", /1 cells instead of 5/],
  ["prints no number", "echo '0, GPU-a, T4, lots, 3'", "unreadable", /"lots" is no whole number/],
])("one that %s is an error with its reason", async (_, body, failure, message) => {
  fakeNvidiaSmi(body);
  const asked = new NvidiaSmi({ timeoutMs: failure === "timeout" ? 300 : 10_000 }).gpus();
  await expect(asked).rejects.toMatchObject({ failure, message: expect.stringMatching(message) });
});

test("where there is none, there is no driver", async () => {
  const asked = new NvidiaSmi({ command: "no-such-nvidia-smi" }).gpus();
  await expect(asked).rejects.toMatchObject({ failure: "absent" });
});

test.skipIf(isWindows)("a failure is not kept", async () => {
  const fake = fakeNvidiaSmi("exit 1");
  const smi = new NvidiaSmi({ maxAgeMs: 60_000 });
  await expect(smi.gpus()).rejects.toMatchObject({ failure: "failed" });
  await expect(smi.gpus()).rejects.toMatchObject({ failure: "failed" });
  expect(fake.calls()).toBe(2);
});

test.skipIf(isWindows)(
  "who gives up is answered at once, the others get their answer, and the last one's end ends the process",
  async () => {
    fakeNvidiaSmi("exec sleep 60");
    const smi = new NvidiaSmi({ timeoutMs: 120_000 });
    const first = new AbortController();
    const second = new AbortController();
    const answers = [smi.gpus(first.signal), smi.gpus(second.signal)];
    first.abort();
    await expect(answers[0]).rejects.toMatchObject({ failure: "cancelled" });
    second.abort();
    await expect(answers[1]).rejects.toMatchObject({ failure: "cancelled" });
    await expect(smi.gpus(AbortSignal.abort())).rejects.toMatchObject({ failure: "cancelled" });
  },
);

const gpus = [
  { index: 1, uuid: "GPU-bbbb2222-0000" },
  { index: 0, uuid: "GPU-aaaa1111-0000" },
  { index: 2, uuid: "GPU-aabb3333-0000" },
];

test.each<[visible: string | undefined, indices: number[]]>([
  [undefined, [0, 1, 2]],
  ["", []],
  ["-1", []],
  ["1", [1]],
  ["2,0", [2, 0]],
  ["GPU-bbbb2222-0000,0", [1, 0]],
  ["GPU-bbbb", [1]],
  ["GPU-aa", []],
  ["0,7,1", [0]],
  ["0,none,1", [0]],
  ["0,0", []],
  [" 1 , 2 ", [1, 2]],
])("CUDA_VISIBLE_DEVICES %s leaves the GPUs %j", (visible, indices) =>
  expect(visibleGpus(gpus, visible).map(({ index }) => index)).toEqual(indices),
);
