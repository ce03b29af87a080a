// The one logger. Passwords are removed at the sink, whatever the caller wrote.
// Nothing else in the service writes to the log stream.

import { type DestinationStream, pino } from 'pino';

export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  child(bindings: Record<string, unknown>): Log;
};

/** Removes passwords from camera and database URLs, tokens from queries and headers. Safe on any text. */
export function redact(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/"'@:]*):[^\s"']*?@(?=[^\s"'@]*(?:[\s"']|$))/gi, '$1:****@')
    .replace(/([?&](?:token|password|secret|access|refresh)=)[^&\s"']+/gi, '$1****')
    .replace(/((?:rtsp|rtsps)%3a%2f%2f[^\s"'&]*?%3a)[^\s"'&]*?(%40)/gi, '$1****$2')
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
