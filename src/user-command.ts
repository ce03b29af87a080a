// `user add|password|list`: users from the command line, beside a running service or without one.
// Words and order; names, passwords and users are the same parts that the service uses. No password comes from argv.

import { join } from 'node:path';
import { Passwords, passwordIssues } from './auth/passwords.ts';
import { normalUserName, userNameIssues, userNameKey } from './auth/user-names.ts';
import type { AuditAction } from './base/accounts.ts';
import { type Role, roles } from './base/identity.ts';
import { loadConfig } from './config.ts';
import { AuditRepository } from './db/audit.ts';
import { databaseFileName, openDatabase } from './db/database.ts';
import { UserRepository } from './db/users.ts';
import { AppError } from './errors.ts';
import { type Keyboard, readPassword } from './password-prompt.ts';

const usage = `usage: rtsp-stream-viewer user add NAME [--role ${roles.join('|')}]
       rtsp-stream-viewer user password NAME
       rtsp-stream-viewer user list

The first user is admin, others are viewers unless --role says otherwise. The password is asked for, or read from
standard input when that is no terminal; a new one signs the user out everywhere.`;

/** Wrong words: answered with the usage. */
class UsageError extends Error {}

type Order =
  | { readonly verb: 'add'; readonly name: string; readonly role: Role | null }
  | { readonly verb: 'password'; readonly name: string }
  | { readonly verb: 'list' };

function parseOrder([verb, ...rest]: readonly string[]): Order {
  const names: string[] = [];
  let role: Role | null = null;
  const words = rest.flatMap((word) => (word.startsWith('--role=') ? ['--role', word.slice(7)] : [word]));
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word === '--role' && verb === 'add') {
      const given = words[++index];
      role = roles.find((known) => known === given) ?? null;
      if (role === null) throw new UsageError(`--role is one of ${roles.join(', ')}.`);
    } else if (word.startsWith('--'))
      throw new UsageError(`There is no option ${JSON.stringify(word)} here.`);
    else names.push(word);
  }
  const [name] = names;
  if (verb === 'list' && names.length === 0) return { verb };
  if ((verb !== 'add' && verb !== 'password') || name === undefined || names.length > 1)
    throw new UsageError('');
  return verb === 'add' ? { verb, name, role } : { verb, name };
}

interface Tables {
  readonly users: UserRepository;
  readonly audit: AuditRepository;
}

interface Terminal {
  readonly input: Keyboard;
  readonly output: NodeJS.WritableStream;
}

function note(
  { audit }: Tables,
  action: AuditAction,
  subject: string,
  detail: string | null = null,
): Promise<void> {
  const row = { at: Date.now(), action, actor: 'command line', actorRole: null, subject, detail };
  return audit.add([{ ...row, address: 'local' }]);
}

/** Asked for twice; what is wrong with it is told in one sentence. */
async function newPassword(username: string, { input, output }: Terminal): Promise<string> {
  const password = await readPassword(`Password for ${username}: `, input, output);
  const [issue] = passwordIssues(password, username);
  if (issue) throw new AppError(400, 'invalid_request', `The password ${issue.message}.`);
  if (input.isTTY && (await readPassword('The same again: ', input, output)) !== password)
    throw new AppError(400, 'invalid_request', 'The two passwords are not the same; nothing was changed.');
  return password;
}

async function add(order: { name: string; role: Role | null }, tables: Tables, terminal: Terminal) {
  const username = normalUserName(order.name);
  const [issue] = userNameIssues(username);
  if (issue) throw new AppError(400, 'invalid_request', `The user name ${issue.message}.`);
  const { users } = tables;
  const first = !(await users.any());
  if (first && order.role !== null && order.role !== 'admin')
    throw new AppError(
      409,
      'last_admin',
      'The first user must be admin, or nobody could manage the service.',
    );
  const usernameKey = userNameKey(username)!;
  // Before the password is asked for.
  if (await users.findByKey(usernameKey))
    throw new AppError(409, 'username_taken', `There is already a user named "${username}".`);
  const passwordHash = await new Passwords().hash(await newPassword(username, terminal));
  const draft = { username, usernameKey, email: null, passwordHash };
  const user =
    (first ? await users.createFirst({ ...draft, role: 'admin' }) : undefined) ??
    (await users.create({ ...draft, role: order.role ?? 'viewer' }));
  await note(tables, 'user_created', user.username, `role ${user.role}`);
  return `User "${user.username}" added as ${user.role}.`;
}

async function setPassword({ name }: { name: string }, tables: Tables, terminal: Terminal) {
  const { users } = tables;
  const key = userNameKey(name);
  const user = key === null ? undefined : await users.findByKey(key);
  if (user === undefined)
    throw new AppError(404, 'user_not_found', `There is no user named ${JSON.stringify(name)}.`);
  const passwordHash = await new Passwords().hash(await newPassword(user.username, terminal));
  await users.change(user.id, { passwordHash });
  await note(tables, 'password_changed', user.username);
  return `Password of "${user.username}" changed; the user is signed out everywhere.`;
}

async function list({ users }: Tables): Promise<string> {
  const all = await users.list();
  if (all.length === 0) return 'There is no user yet.';
  const width = Math.max(...all.map(({ username }) => username.length));
  const day = (at: number) => new Date(at).toISOString().replace(/T(.{5}).*/, ' $1');
  return all
    .map(
      ({ username, role, lastLogin }) =>
        `${username.padEnd(width)}  ${role.padEnd(8)}  ` +
        (lastLogin === null ? 'never signed in' : `last signed in ${day(lastLogin)} UTC`),
    )
    .join('\n');
}

/** @returns the exit code: 0 done, 1 refused, 2 wrong usage. @throws ConfigError when a setting or the database is at fault. */
export async function userCommand(
  args: readonly string[],
  terminal: Terminal = { input: process.stdin, output: process.stderr },
): Promise<number> {
  let order: Order;
  try {
    order = parseOrder(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}${error.message && '\n\n'}${usage}`);
    return 2;
  }
  const { databaseUrl, dataDir } = loadConfig(process.env);
  const database = await openDatabase(databaseUrl ?? join(dataDir, databaseFileName));
  const tables = { users: new UserRepository(database.db), audit: new AuditRepository(database.db) };
  try {
    if (order.verb === 'list') console.log(await list(tables));
    else
      console.log(
        await (order.verb === 'add' ? add(order, tables, terminal) : setPassword(order, tables, terminal)),
      );
    return 0;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    await database.close();
  }
}
