import { expect, test } from "vitest";
import { fakeNvidiaSmi, printing, twoGpus } from "./fake-nvidia-smi.fixture.js";
import { LocalLeases } from "./local-leases.js";
import { NvidiaSmi } from "./nvidia-smi.js";
import { type ResolveDevicesOptions, resolveDevices } from "./resolve-devices.js";

const isWindows = process.platform === "win32";

function resolve(device: string[], more: Partial<ResolveDevicesOptions> = {}) {
  return resolveDevices({
    device,
    deviceCap: "12GB",
    forceCpu: false,
    cudaVisibleDevices: "0,1",
    cudaProblem: () => undefined,
    nvidiaSmi: new NvidiaSmi({ timeoutMs: 5000 }),
    ...more,
  });
}

const namesOf = async (found: ReturnType<typeof resolve>) => (await found).devices.map(({ name }) => name);
const absent = { nvidiaSmi: new NvidiaSmi({ command: "no-such-nvidia-smi" }) };

test("without a GPU auto is the CPU, and nothing is amiss", async () => {
  const { devices, fallbacks } = await resolve(["auto"], absent);
  expect(devices).toMatchObject([{ name: "cpu:0", kind: "cpu" }]);
  expect(fallbacks).toEqual([]);
});

test("the CPU's cap is a number of bytes, at most what the machine has", async () => {
  const cap = async (deviceCap: string) => (await resolve(["cpu"], { deviceCap })).devices[0]?.capBytes;
  expect(await cap("500MB")).toBe(5e8);
  expect(await cap("8000TB")).toBeLessThan(8e15);
});

test.skipIf(isWindows)("GPUs are found, with the smaller of cap and memory, and known to workers by UUID", async () => {
  fakeNvidiaSmi(printing(twoGpus));
  const { devices, fallbacks } = await resolve(["auto"], { deviceCap: "40GB" });
  expect(devices).toMatchObject([
    {
      name: "cuda:0",
      kind: "cuda",
      hardware: "NVIDIA H100 80GB HBM3",
      capBytes: 40e9,
      options: { uuid: "GPU-aaaa1111-0000" },
    },
    {
      name: "cuda:1",
      kind: "cuda",
      hardware: "NVIDIA T4",
      capBytes: 15360 * 1024 ** 2,
      options: { uuid: "GPU-bbbb2222-0000" },
    },
  ]);
  expect(fallbacks).toEqual([]);
  expect((await resolve(["cuda:1", "cuda:1"])).devices).toMatchObject([{ name: "cuda:1", capBytes: 12e9 }]);
  const swapped = await resolve(["cuda:0"], { cudaVisibleDevices: "GPU-bbbb" });
  expect(swapped.devices).toMatchObject([{ name: "cuda:0", options: { uuid: "GPU-bbbb2222-0000" } }]);
  expect(await namesOf(resolve(["cuda"], { forceCpu: true }))).toEqual(["cpu:0"]);
});

test.skipIf(isWindows).each([
  [
    "one of two is there",
    ["cuda:1", "cuda:5"],
    "1",
    printing(twoGpus),
    "cpu:0",
    /cuda:\d was asked for and is not there/,
  ],
  ["none is left", ["cuda"], "", printing(twoGpus), "cpu:0", /CUDA_VISIBLE_DEVICES is "", which leaves no GPU/],
  ["the driver fails", ["cuda"], "0", "echo broken >&2; exit 9", "cpu:0", /nvidia-smi failed: broken/],
])("a GPU that is asked for and absent is told: %s", async (_, device, visible, body, resolved, detail) => {
  fakeNvidiaSmi(body);
  const found = await resolve(device, { cudaVisibleDevices: visible, source: "cli" });
  expect(found.devices).toMatchObject([{ name: resolved }]);
  expect(found.fallbacks).toMatchObject(
    found.fallbacks.map(() => ({ resolved, source: "cli", degraded: true, detail: expect.stringMatching(detail) })),
  );
  expect(found.fallbacks.length).toBeGreaterThan(0);
});

test.skipIf(isWindows)("what is there is used beside what is not", async () => {
  fakeNvidiaSmi(printing(twoGpus));
  const { devices, fallbacks } = await resolve(["cuda:1", "cuda:5"]);
  expect(devices).toMatchObject([{ name: "cuda:1" }]);
  expect(fallbacks).toMatchObject([{ requested: "cuda:5", resolved: "cuda:1", degraded: true }]);
});

test.skipIf(isWindows)("a runtime without CUDA is told: as a note where auto would have used it", async () => {
  fakeNvidiaSmi(printing(twoGpus));
  const cudaProblem = () => "no provider";
  const auto = await resolve(["auto"], { cudaProblem });
  expect(auto.fallbacks).toMatchObject([{ requested: "auto", resolved: "cpu:0", degraded: false }]);
  const asked = await resolve(["cuda"], { cudaProblem });
  expect(asked.fallbacks).toMatchObject([{ degraded: true, detail: expect.stringContaining("no provider") }]);
});

test.skipIf(isWindows)("a driver that cannot be asked is told where auto would have used it", async () => {
  fakeNvidiaSmi("exit 3");
  const { devices, fallbacks } = await resolve(["auto"]);
  expect(devices).toMatchObject([{ name: "cpu:0" }]);
  expect(fallbacks).toMatchObject([{ requested: "auto", degraded: false }]);
});

test("simulated devices have their size below the cap, and their settings for the worker", async () => {
  const { devices } = await resolve(["simulated:2x4GB:us-per-token=7", "simulated:1x99GB"]);
  expect(devices).toEqual([
    { name: "simulated:0", kind: "simulated", capBytes: 4e9, options: { microsecondsPerToken: 7 } },
    { name: "simulated:1", kind: "simulated", capBytes: 4e9, options: { microsecondsPerToken: 7 } },
    { name: "simulated:2", kind: "simulated", capBytes: 12e9, options: {} },
  ]);
});

test.each([
  [["cpu", "simulated"], "12GB", "DEVICE_KINDS"],
  [["auto", "cpu"], "12GB", "DEVICE_KINDS"],
  [["cpu"], "12", "DEVICE_CAP"],
  [["cpu"], "0GB", "DEVICE_CAP"],
  [["gpu"], "12GB", "DEVICE"],
])("%j with a cap of %s is refused", async (device, deviceCap, reason) => {
  await expect(resolve(device, { deviceCap })).rejects.toMatchObject({ reason });
});

test("local leases look for devices when the first asks, and again where that failed", async () => {
  let looked = 0;
  const leases = new LocalLeases(async () => {
    if (++looked === 1) throw new Error("not now");
    return resolve(["simulated:2x1GB"]);
  });
  expect(leases.events).toEqual([]);
  await expect(leases.describe()).rejects.toThrow("not now");
  const lease = await leases.acquire({ stage: "dense", model: "m", bytes: 5 });
  expect(lease).toMatchObject({ device: "simulated:0", deviceKind: "simulated" });
  expect((await leases.describe()).devices).toMatchObject([{ grantedBytes: 5 }, { grantedBytes: 0 }]);
  expect(looked).toBe(2);
  expect(leases.events).toMatchObject([{ kind: "granted" }]);
});
