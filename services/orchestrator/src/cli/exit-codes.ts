/** What the exit codes of the command line mean. */
export const exitCodes = { done: 0, failed: 1, wrongUsage: 2, degraded: 3, interrupted: 130 } as const;
