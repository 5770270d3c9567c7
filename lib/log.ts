import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * A logger that writes to `destination`, one JSON object a line. Callers log who, what and why; bodies, keys, codes,
 * tokens and passwords are never handed to it.
 */
export function createLogger(level: LogLevel, destination: NodeJS.WritableStream): Logger {
  return pino({ level, base: null }, destination);
}
