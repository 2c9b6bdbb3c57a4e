import { createRequire } from "node:module";
import { join, resolve } from "node:path";

/**
 * A package that is no dependency: it is looked for below the folder that RAGLINE_PEERS names, else where Node looks.
 * Undefined where it is not installed.
 */
export function peerModule<Module>(name: string): Module | undefined {
  const require = createRequire(join(resolve(process.env.RAGLINE_PEERS ?? "."), "peers.js"));
  try {
    return require(name) as Module;
  } catch {
    return undefined;
  }
}

/** How a peer that was not there is installed. */
export const peerHint = (name: string): string =>
  `${name} is not there: install it in a folder of its own and name that folder in RAGLINE_PEERS`;
