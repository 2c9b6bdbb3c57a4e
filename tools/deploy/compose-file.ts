import { readFileSync } from "node:fs";
import { parseYaml } from "./yaml-files.js";

/** A service of a Compose file, as far as Ragline's own files use the format. */
export interface ComposeService {
  /** Absent where the file lies over another one that has it. */
  readonly image?: string;
  readonly extends?: { readonly file: string; readonly service: string };
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly deploy?: {
    readonly resources: { readonly reservations: { readonly devices: readonly { readonly device_ids: string[] }[] } };
  };
}

/** A Compose file. */
export interface ComposeFile {
  readonly name?: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

/** Reads a Compose file with its merge keys resolved, and variables with the defaults that the file gives them. */
export function readCompose(path: string): ComposeFile {
  return parseYaml<ComposeFile>(readFileSync(path, "utf8").replace(/\$\{\w+:-([^}]*)\}/g, "$1"));
}

/** The services that run Ragline's own image, by name, each after those that it waits for. */
export function raglineServices({ services }: ComposeFile): [name: string, service: ComposeService][] {
  const ordered = new Map<string, ComposeService>();
  const add = (name: string): void => {
    const service = services[name];
    if (!service || ordered.has(name)) return;
    for (const before of Object.keys(service.depends_on ?? {})) add(before);
    ordered.set(name, service);
  };
  for (const [name, { image }] of Object.entries(services)) if (image?.startsWith("ragline:")) add(name);
  return [...ordered];
}
