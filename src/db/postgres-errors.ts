// What PostgreSQL's and the connection's errors mean to people, as errors of the service.
// No statement is run here; nothing said here holds a password.

import { ConfigError } from '../config.ts';
import { AppError } from '../errors.ts';
import { databaseBusy, RowsContended, UnknownOutcome } from './errors.ts';

const restarting = 'The database server does not answer or is restarting. Try again in a moment.';
const slow = 'The database took too long to answer. Try again in a moment.';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const sentences: Readonly<Record<string, string>> = {
  '57P01': restarting,
  '57P02': restarting,
  '57P03': restarting,
  '57P05': restarting,
  '57014': slow,
  '25P03': slow,
  '53100': 'The disk that holds the database is full.',
  '53200': 'The database server is out of memory.',
  '53300': 'The database server takes no more connections at the moment.',
  '25006': 'The database cannot be written: the server is read-only.',
  '58030': 'The disk that holds the database reports an error.',
  '28000': 'The database server refuses the sign-in.',
  '28P01': 'The database server refuses the sign-in.',
  '3D000': 'The database does not exist any more.',
  XX001: 'The database is damaged.',
  XX002: 'The database is damaged.',
};

/** Deadlock and serialization failure: nothing was written, and the same may work the next time. */
const contention = new Set(['40001', '40P01']);

/** The server ends the connection with these, or has none. */
const ending = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '53300', '28000', '28P01', '3D000']);

const lostMessage =
  /^(Connection terminated|Client has encountered|Client was closed|Query read timeout|timeout ex)/;
const timeoutMessage = /timeout/i;

interface CodedError {
  readonly code?: unknown;
  readonly message?: unknown;
  /** Only errors that the server itself reports have one. */
  readonly severity?: unknown;
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as CodedError;
  return typeof code === 'string' ? code : undefined;
}

/** The connection cannot be used any more, whatever the statement did. */
export function isConnectionLost(error: unknown): boolean {
  const code = codeOf(error);
  const { severity, message } = error as CodedError;
  if (severity !== undefined) return code !== undefined && (code.startsWith('08') || ending.has(code));
  // Of the socket, or of the client itself.
  return (code !== undefined && /^E(?!RR_)[A-Z]/.test(code)) || lostMessage.test(String(message));
}

/**
 * A coded error where the server or the way to it is at fault; anything else (a constraint, wrong SQL) as it came, but
 * without the row that it is about, in which secrets may stand.
 * @param unsure the statement would have made something lasting, and nobody knows whether it has.
 */
export function readablePostgresError(error: unknown, unsure = false): unknown {
  const code = codeOf(error);
  if (code !== undefined && contention.has(code)) return new RowsContended(error);
  if (code === '55P03') return databaseBusy(error);
  const lost = isConnectionLost(error);
  const known = code === undefined ? undefined : sentences[code];
  if (!lost && known === undefined) return withoutRow(error);
  const timedOut = timeoutMessage.test(String((error as CodedError).message));
  const sentence = known ?? (timedOut ? slow : restarting);
  if (lost && unsure) return new UnknownOutcome(sentence, error);
  return new AppError(503, 'database_unavailable', sentence, { cause: error });
}

function withoutRow(error: unknown): unknown {
  if (error instanceof Error) Object.assign(error, { detail: undefined, where: undefined });
  return error;
}

/** Where a database is, without who enters and how. */
export function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${decodeURIComponent(pathname.slice(1))} at ${hostname || 'localhost'}:${port || 5432}`;
}

/** Whether waiting may help: the server, or the network with its name in it, is not up yet. */
export function mayComeUp(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  if ((error as CodedError).severity !== undefined)
    return ['57P01', '57P02', '57P03', '53300'].includes(code) || code.startsWith('08');
  return isUnreachable(error);
}

function isUnreachable(error: unknown): boolean {
  return (
    /^(ECONN|EHOST|ENET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_|ENOENT)/.test(codeOf(error) ?? '') ||
    /^Connection terminated|timeout/i.test(String((error as CodedError).message))
  );
}

/** Why the service does not start with this database. */
export function unusablePostgres(url: string, error: unknown): ConfigError {
  return new ConfigError('DATABASE_URL', `: the database ${placeOf(url)} cannot be used: ${why(url, error)}`);
}

function why(url: string, error: unknown): string {
  const code = codeOf(error);
  const message = String((error as CodedError).message);
  const user = `the user "${decodeURIComponent(new URL(url).username)}"`;
  if (code === '28P01') return `the server refuses ${user}: wrong user name or password.`;
  if (/^SASL|password must be a string/.test(message))
    return `the server asks for a password, and the address holds none.`;
  if (code === '28000') return `the server does not let ${user} in from here.`;
  if (code === '3D000') return 'there is no such database; create it first.';
  if (code === '42501') return `${user} may not do what is needed there; make it the owner of the database.`;
  if (code === '53300') return 'the server takes no more connections.';
  if (/SSL/.test(message) || /CERT|SIGNATURE|TLS|SSL/.test(code ?? ''))
    return `the encrypted connection fails (${code ?? message}).`;
  if (isUnreachable(error)) return `the server cannot be reached (${code ?? 'it does not answer in time'}).`;
  const readable = readablePostgresError(error) as Error;
  return readable.message.endsWith('.') ? readable.message : `${readable.message}.`;
}
