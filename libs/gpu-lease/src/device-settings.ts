import { defineSettings } from "@ragline/config";

/** The settings that say what a broker grants. */
export const deviceSettings = defineSettings({
  device: {
    type: "list",
    default: ["auto"],
    env: "RAGLINE_DEVICE",
    description:
      "Devices to compute on: auto (the GPUs if there are some that can be used, else the CPU), cpu, cuda, cuda:<n>, or simulated:<count>x<size>, all of one kind.",
  },
  deviceCap: {
    type: "string",
    default: "12GB",
    env: "RAGLINE_DEVICE_CAP",
    description: "Most memory in use on each device, such as 12GB or 8GiB; on the CPU that of all workers together.",
  },
  forceCpu: {
    type: "boolean",
    default: false,
    env: "EMBEDDER_FORCE_CPU",
    description: "Use the CPU whatever --device says.",
  },
});

/** The settings of whoever leases: the devices of a broker of its own, or another broker. */
export const leaseSettings = defineSettings({
  ...deviceSettings,
  leaseBroker: {
    type: "string",
    default: null,
    env: "RAGLINE_LEASE_BROKER",
    description:
      "Address of a running lease broker (ragline lease-broker) that grants the devices of this host; --device and --device-cap are its business then.",
  },
});
