import type * as sdk from "@opentelemetry/sdk-trace-node";
import type { Sampler } from "@opentelemetry/sdk-trace-node";

type Sdk = Pick<typeof sdk, "AlwaysOnSampler" | "AlwaysOffSampler" | "TraceIdRatioBasedSampler" | "ParentBasedSampler">;

/**
 * The sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name, as the OpenTelemetry specification does:
 * always_on, always_off, traceidratio, and each with "parentbased_" before it; parentbased_always_on without one.
 * @param onWarning told of a name or a ratio that is none, which is ignored
 */
export function samplerFromEnv(
  { AlwaysOnSampler, AlwaysOffSampler, TraceIdRatioBasedSampler, ParentBasedSampler }: Sdk,
  env: Readonly<Record<string, string | undefined>>,
  onWarning: (message: string) => void,
): Sampler {
  const name = env["OTEL_TRACES_SAMPLER"] || "parentbased_always_on";
  const argument = env["OTEL_TRACES_SAMPLER_ARG"];
  const ratio = (): Sampler => {
    const value = Number(argument || 1);
    if (value >= 0 && value <= 1) return new TraceIdRatioBasedSampler(value);
    onWarning(`OTEL_TRACES_SAMPLER_ARG is "${argument}", expected a number from 0 to 1; every trace is recorded`);
    return new AlwaysOnSampler();
  };
  const samplers: Readonly<Record<string, () => Sampler>> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: ratio,
  };
  const plain = samplers[name.replace(/^parentbased_/, "")];
  if (!plain) onWarning(`OTEL_TRACES_SAMPLER is "${name}", which is no sampler; every trace is recorded`);
  const root = (plain ?? samplers["always_on"])?.() ?? new AlwaysOnSampler();
  return plain && !name.startsWith("parentbased_") ? root : new ParentBasedSampler({ root });
}
