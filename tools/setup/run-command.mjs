import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, join } from "node:path";

/**
 * Runs one command in `root` with the workspace's own executables first on the PATH, and passes termination on to it.
 * The nx daemon and its terminal interface are off: both outlive or overwrite what a script prints.
 *
 * @param {string} root the repository's root
 * @param {string[]} command the executable and its arguments
 * @param {import("node:child_process").StdioOptions} [stdio] where its output goes; by default to ours
 * @returns {Promise<number>} its exit code; 128 + the signal's number if a signal ended it, 127 if it could not start
 */
export function runCommand(root, command, stdio = "inherit") {
  const [file = "", ...args] = command;
  const env = {
    ...process.env,
    PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`,
    NX_DAEMON: "false",
    NX_TUI: "false",
  };
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, env, stdio, shell: process.platform === "win32" });
    // A terminal's Ctrl-C reaches the child by itself; we only have to outlive it. Other signals come to us alone.
    const outlive = () => {};
    const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    process.on("SIGINT", outlive).on("SIGTERM", forward).on("SIGHUP", forward);
    const end = (/** @type {number} */ code) => {
      process.off("SIGINT", outlive).off("SIGTERM", forward).off("SIGHUP", forward);
      resolve(code);
    };
    child.once("error", (error) => {
      console.error(`Cannot start ${file}: ${error.message}.`);
      end(127);
    });
    child.once("close", (code, signal) => end(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
