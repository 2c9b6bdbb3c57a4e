export { createLogger, type LogFormat, type Logger, type LoggerSettings } from "./logger.js";
export { type MetricsServer, serveMetrics } from "./metrics-server.js";
export { type LogLine, parseLogLine } from "./parse-log-line.js";
export { type ReadyMessage, runService } from "./run-service.js";
export {
  type ServiceExit,
  type SpawnedService,
  type SpawnOptions,
  spawnService,
} from "./spawn-service.js";
export {
  type RunningService,
  type ServiceContext,
  type ServiceOptions,
  type StartOptions,
  startService,
} from "./start-service.js";
