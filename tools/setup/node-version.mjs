import { SetupError } from "./setup-error.mjs";

/**
 * @param {string} minimum the oldest version that works, "major.minor"
 * @param {string} [actual] by default the running Node's
 * @throws {SetupError} when the running Node is older
 */
export function assertNodeVersion(minimum, actual = process.versions.node) {
  const [major = 0, minor = 0] = actual.split(".").map(Number);
  const [minimumMajor = 0, minimumMinor = 0] = minimum.split(".").map(Number);
  if (major > minimumMajor || (major === minimumMajor && minor >= minimumMinor)) return;
  throw new SetupError(
    `Ragline needs Node ${minimum} or newer, and this is Node ${actual}. Install it from https://nodejs.org and run the command again.`,
  );
}
