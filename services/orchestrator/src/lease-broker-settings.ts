import { defineSettings } from "@ragline/config";
import { deviceSettings } from "@ragline/gpu-lease";

/** The settings of a lease broker that stands on its own. */
export const leaseBrokerSettings = defineSettings({
  ...deviceSettings,
  exclusive: {
    type: "boolean",
    default: true,
    description: "One model at a time on a device; without it several that fit under the cap together.",
  },
  maxWaiting: {
    type: "integer",
    default: 64,
    minimum: 1,
    maximum: 10_000,
    description: "Most models that wait for a device; the next is refused at once.",
  },
});
