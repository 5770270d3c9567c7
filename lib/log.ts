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

/** A destination for `createLogger` that makes the lines readable for people and passes them on to `stream`. */
export async function prettyDestination(
  stream: NodeJS.WritableStream,
  colorize: boolean,
): Promise<NodeJS.WritableStream> {
  // Loaded here because whoever logs JSON should not wait for it; a stream and no worker, which bundles cannot start.
  const { default: pretty } = await import('pino-pretty');
  return pretty({ destination: stream, colorize, sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' });
}
