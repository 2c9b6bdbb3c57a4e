import { defineConfig } from "vitest/config";
import { ClosingLineReporter } from "./tools/setup/closing-line-reporter.ts";

// One config for the whole repository: tests read the libraries' sources, while spawned processes run what was built.
export default defineConfig({
  resolve: { conditions: ["@ragline/source"] },
  ssr: { resolve: { conditions: ["@ragline/source"] } },
  test: {
    include: ["libs/*/src/**/*.test.ts", "services/*/src/**/*.test.ts", "tools/*/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    reporters: ["default", new ClosingLineReporter()],
    // Only what hangs fails by these: how long a test takes depends on what else the machine does.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000, interval: 10 } },
    maxWorkers: 2,
    server: { deps: { inline: [/@ragline\//] } },
  },
});
