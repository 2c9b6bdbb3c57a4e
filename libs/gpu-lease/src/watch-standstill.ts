const checkMs = 1000;

/**
 * Tells once that this process has stood still (stopped by a signal, its container paused) for at least so long. That is told
 * before anything that arrived meanwhile is heard, since timers come first. The sleep of a whole machine does not count.
 *
 * @returns what ends the watch
 */
export function watchStandstill(limitMs: number, tell: (stoodMs: number) => void): () => void {
  let last = performance.now();
  const timer = setInterval(
    () => {
      const stoodMs = performance.now() - last;
      last += stoodMs;
      if (stoodMs < limitMs) return;
      clearInterval(timer);
      tell(stoodMs);
    },
    Math.min(checkMs, limitMs / 4),
  ).unref();
  return () => clearInterval(timer);
}
