/**
 * Structured logs with the field names of the daprd family (behaviour.md 11.5): time, level, type, msg, scope,
 * instance, app_id, ver. JSON with `--log-as-json`, otherwise one line of `key=value`. Secrets are never handed in.
 */
import { hostname } from 'node:os';
import pino from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface Log {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
  /** The same log under another dotted scope. */
  scoped(scope: string): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly json: boolean;
  readonly appId: string;
  readonly version: string;
  /** Where lines go; default standard output. */
  readonly write?: (line: string) => void;
}

const LEVEL_NAMES: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warning', 50: 'error', 60: 'fatal' };

export function createLog(options: LogOptions): Log {
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  const destination = { write: options.json ? write : (line: string) => write(asText(line)) };
  const root = pino(
    {
      level: options.level,
      base: { app_id: options.appId, instance: hostname(), type: 'log', ver: options.version },
      messageKey: 'msg',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (_label, number) => ({ level: LEVEL_NAMES[number] ?? 'info' }) },
      serializers: { err: pino.stdSerializers.err },
    },
    destination,
  );
  return wrap(root.child({ scope: 'mecha.runtime' }), root);
}

function wrap(logger: pino.Logger, root: pino.Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    scoped: (scope) => wrap(root.child({ scope }), root),
  };
}

/** `time="…" level=info msg="…" k=v`: first the three that eyes look for, then the rest by name. */
function asText(line: string): string {
  const { time, level, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const parts = [`time=${JSON.stringify(time)}`, `level=${String(level)}`, `msg=${JSON.stringify(msg ?? '')}`];
  for (const key of Object.keys(rest).sort()) {
    const value = rest[key];
    parts.push(`${key}=${typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value)}`);
  }
  const error = err as { message?: string; stack?: string } | undefined;
  if (error) parts.push(`err=${JSON.stringify(error.stack ?? error.message ?? String(err))}`);
  return `${parts.join(' ')}\n`;
}
