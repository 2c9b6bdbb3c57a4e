import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { byteSize, withFileLock } from "@ragline/hub";
import { type HubModelEntry, isHubModel, listModels } from "@ragline/models";
import type { Command } from "commander";
import { usageError } from "../core/usage-error.js";
import { exitCodes } from "./exit-codes.js";
import { findModels, precisionsOf, withFiles, withModels } from "./models-context.js";

/** Removes pulled models from the cache and says how much room that made. */
export function removeAction(command: Command, names: readonly string[]): Promise<number> {
  return withModels(command, async ({ store, signal, print }) => {
    const models = findModels(names)
      .map(withFiles)
      .map((entry): HubModelEntry => {
        if (isHubModel(entry)) return entry;
        throw usageError(
          "NOT_PULLED",
          `model ${entry.key} was not pulled: its files come ${entry.source.kind === "embedded" ? "with Ragline" : "from a folder of yours"}, and stay`,
        );
      });
    const removed: { model: string; files: string[]; bytes: number }[] = [];
    for (const entry of models) {
      const commit = await store.commitOf(entry);
      const cache = store.cacheOf(entry);
      const report = { model: entry.key, files: [] as string[], bytes: 0 };
      removed.push(report);
      if (commit === undefined) continue;
      await withFileLock(
        cache.lockPath,
        async () => {
          const specs = await Promise.all(precisionsOf(entry).map((precision) => store.filesOf(entry, precision)));
          for (const name of new Set(specs.flat().map((file) => file.name))) {
            if (!(await cache.find(commit, name))) continue;
            report.bytes += await cache.removeFile(commit, name);
            report.files.push(name);
          }
        },
        { signal },
      );
    }
    const lines = removed.map(({ model, files, bytes }) =>
      files.length === 0
        ? `${model}: nothing of it is here`
        : `${model}: ${files.length} files removed, ${byteSize(bytes)} free`,
    );
    print({ removed }, lines.join("\n"));
    return exitCodes.done;
  });
}

/** Removes what no model needs from the repositories of the registry. */
export function pruneAction(command: Command): Promise<number> {
  return withModels(command, async ({ store, signal, print }) => {
    const { dryRun = false } = command.opts<{ dryRun?: boolean }>();
    const byRepository = new Map<string, HubModelEntry[]>();
    for (const entry of listModels().filter(isHubModel)) {
      const { path } = store.cacheOf(entry);
      if (existsSync(path)) byRepository.set(path, [...(byRepository.get(path) ?? []), entry]);
    }
    const found: { path: string; bytes: number }[] = [];
    for (const [first, ...others] of byRepository.values()) {
      if (!first) continue;
      const commits = await Promise.all([first, ...others].map((entry) => store.commitOf(entry)));
      const cache = store.cacheOf(first);
      await withFileLock(
        cache.lockPath,
        async () => {
          const garbage = await cache.garbage(new Set(commits.filter((commit) => commit !== undefined)));
          found.push(...garbage);
          if (!dryRun) for (const { path } of garbage) await rm(path, { recursive: true, force: true });
        },
        { signal },
      );
    }
    const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
    const total = `${dryRun ? "would free" : "freed"} ${byteSize(bytes)}`;
    print({ dryRun, bytes, removed: found }, [...found.map(({ path }) => path), total].join("\n"));
    return exitCodes.done;
  });
}
