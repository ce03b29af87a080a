// The one logger. Passwords are removed at the sink, whatever the caller wrote.
// Nothing else in the service writes to the log stream.

import { type DestinationStream, pino } from 'pino';
import { maskSecretParameters } from './secret-parameters.ts';

export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  child(bindings: Record<string, unknown>): Log;
};

/**
 * Removes passwords from camera and database URLs, secrets from parameters, members and headers, and this service's own
 * tokens, session cookie and set-up link wherever they stand. Safe on any text.
 */
export function redact(text: string): string {
  return maskSecretParameters(text)
    .replace(
      /([a-z][a-z0-9+.-]{0,20}:\/\/[^\s/"'@:]{0,600}):[^\s"']{0,2000}?@(?=[^\s"'@]{0,2000}(?:[\s"']|$))/gi,
      '$1:****@',
    )
    .replace(
      /("(?:[a-z_]{0,40}(?:password|passwd|secret|token)|access|refresh|cookie|set-cookie)"\s*:\s*")(?:[^"\\]|\\.)*/gi,
      '$1****',
    )
    .replace(/(rtsps?%3a%2f%2f(?:(?!%3a|%2f|%40)[^\s"'&]){0,600}%3a)[^\s"'&]{0,2000}?(%40)/gi, '$1****$2')
    .replace(/\b(rs[vr]_|rsv_session=|setup=)[\w-]{20,}/g, '$1****')
    .replace(/\beyJ[\w-]{10,200}\.[\w-]{10,1000}\.[\w-]{10,100}/g, '****')
    .replace(/(authorization["']?\s*[:=]\s*["']?(?:basic|digest|bearer)\s+)[^\r\n"']+/gi, '$1****');
}

/**
 * @param verbose debug level and below.
 * @param sink where lines go; standard output unless a test listens.
 */
export function createLog(verbose: boolean, sink: DestinationStream = process.stdout): Log {
  return pino(
    { level: verbose ? 'debug' : 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line: string) => sink.write(redact(line)) },
  );
}

export const silentLog: Log = pino({ level: 'silent' });
