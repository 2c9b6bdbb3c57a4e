import { LeaseService } from "@ragline/contracts";
import { byteSizeText, holderKeepalive, LeaseBroker, leaseHandlers, resolveDevices } from "@ragline/gpu-lease";
import { cudaProblem } from "@ragline/inference";
import { runService } from "@ragline/service-kit";
import { leaseBrokerSettings } from "./lease-broker-settings.js";

let granted = "";
const running = await runService({
  name: "lease-broker",
  service: LeaseService,
  settings: leaseBrokerSettings,
  channelOptions: holderKeepalive,
  handlers: async ({ config, log, allMetrics }) => {
    const found = await resolveDevices({ ...config, cudaProblem });
    for (const { detail, requested } of found.fallbacks) log.warn({ requested }, detail);
    const { exclusive, maxWaiting } = config;
    // A token per microsecond: those of a broker that is started again are above all that it granted before.
    const broker = new LeaseBroker({ ...found, exclusive, maxWaiting, firstToken: Date.now() * 1000 });
    granted = broker.devices.map(({ name, capBytes }) => `${name} (${byteSizeText(capBytes)})`).join(", ");
    allMetrics.watchCaps(() => broker.devices);
    return leaseHandlers(broker);
  },
});
if (running) process.stdout.write(`lease broker at ${running.address} grants ${granted}\n`);
