// Users from the command line: beside a running service, with the password from a pipe or typed unseen.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { onEachDatabase } from '../test/support/databases.ts';
import { Passwords } from './auth/passwords.ts';
import { AuditRepository } from './db/audit.ts';
import { type Database, databaseFileName } from './db/database.ts';
import { lockFolder } from './db/folder-lock.ts';
import { SessionRepository } from './db/sessions.ts';
import { UserRepository } from './db/users.ts';
import { userCommand } from './user-command.ts';

onEachDatabase((databases) => {
  let folder: string;
  /** As the running service holds it. */
  let database: Database;
  let unlock: () => void;
  let printed: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-user-'));
    unlock = lockFolder(folder);
    const inFile = databases.kind === 'sqlite';
    const place = inFile ? join(folder, databaseFileName) : await databases.place();
    database = await databases.open(place);
    vi.stubEnv('DATA_DIR', folder);
    vi.stubEnv('DATABASE_URL', inFile ? '' : place);
    vi.stubEnv('REDIS_URL', '');
    printed = [];
    const print = (line: string) => void printed.push(line);
    vi.spyOn(console, 'log').mockImplementation(print);
    vi.spyOn(console, 'error').mockImplementation(print);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    unlock();
    rmSync(folder, { recursive: true });
  });

  /** @param stdin what a pipe holds. */
  async function run(command: string, stdin = ''): Promise<{ code: number; said: string }> {
    printed = [];
    const input = new PassThrough();
    input.end(stdin);
    const code = await userCommand(command.split(' '), { input, output: new PassThrough() });
    return { code, said: printed.join('\n') };
  }

  /** A terminal on which `keys` are typed, each when it is asked. */
  async function type(
    command: string,
    keys: string[],
  ): Promise<{ code: number; said: string; shown: string }> {
    printed = [];
    const modes: boolean[] = [];
    const setRawMode = (raw: boolean) => modes.push(raw);
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode });
    const output = new PassThrough();
    let shown = '';
    output.on('data', (chunk) => {
      shown += chunk;
      // Shown by the terminal itself, were it asked for before raw mode.
      if (String(chunk).endsWith(': ')) input.write(modes.at(-1) ? keys.shift()! : 'too early\r');
    });
    const code = await userCommand(command.split(' '), { input, output });
    expect(modes.at(-1)).toBe(false);
    return { code, said: printed.join('\n'), shown };
  }

  async function hasPassword(name: string, password: string): Promise<boolean> {
    const user = await new UserRepository(database.db).findByKey(name);
    return (await new Passwords().verify(password, user?.passwordHash ?? null)).right;
  }

  test('users are added beside a running service: the first as admin, others as viewers or as told', async () => {
    expect((await run('list')).said).toBe('There is no user yet.');
    expect(await run('add anna --role viewer', 'correct horse')).toMatchObject({ code: 1 });
    expect(await run('add Anna', 'correct horse\n')).toEqual({
      code: 0,
      said: 'User "Anna" added as admin.',
    });
    expect((await run('add bert', 'correct horse')).said).toBe('User "bert" added as viewer.');
    expect((await run('add __proto__ --role=operator', 'correct horse\r\n')).said).toMatch(
      /added as operator/,
    );
    expect(await run('add ANNA', 'correct horse')).toMatchObject({ code: 1 });
    expect((await run('list')).said.split('\n')).toEqual([
      'Anna       admin     never signed in',
      'bert       viewer    never signed in',
      '__proto__  operator  never signed in',
    ]);
    expect(await hasPassword('anna', 'correct horse')).toBe(true);
    const [last] = await new AuditRepository(database.db).list({ limit: 1 });
    expect(last).toMatchObject({ action: 'user_created', actor: 'command line', subject: '__proto__' });
  });

  test('a new password ends the user’s sessions', async () => {
    await run('add anna', 'correct horse');
    const user = (await new UserRepository(database.db).findByKey('anna'))!;
    const sessions = new SessionRepository(database.db);
    const hashes = {
      passwordHash: user.passwordHash,
      newPasswordHash: null,
      cookieHash: 'c',
      refreshHash: 'r',
    };
    await sessions.create({ id: 's', userId: user.id, ...hashes, now: 1, expiresAt: 2 }, 10);
    const { code, said } = await run('password Anna', 'another horse');
    expect([code, said]).toEqual([0, 'Password of "anna" changed; the user is signed out everywhere.']);
    expect(await sessions.get('s')).toBeUndefined();
    expect(await hasPassword('anna', 'another horse')).toBe(true);
    expect((await run('password nobody', 'another horse')).said).toBe('There is no user named "nobody".');
  });

  test('a password is typed twice without being shown, and can be corrected', async () => {
    const keys = ['corrxx\u007f\u007fect horsé\r', 'wrong\u0015correct horsé\r'];
    const { code, shown } = await type('add anna', keys);
    expect([code, shown]).toEqual([0, 'Password for anna: \nThe same again: \n']);
    expect(await hasPassword('anna', 'correct horsé')).toBe(true);
    const different = await type('password anna', ['another horse\r', 'another house\r']);
    expect([different.code, different.said]).toEqual([
      1,
      'The two passwords are not the same; nothing was changed.',
    ]);
    expect(await type('password anna', ['another\u0003'])).toMatchObject({
      code: 1,
      said: expect.stringMatching(/^Abort/),
    });
    expect(await hasPassword('anna', 'correct horsé')).toBe(true);
  });

  test('what cannot be done is refused in one sentence, wrong words with the usage', async () => {
    expect((await run('add anna', 'short')).said).toBe('The password must have 8 to 256 characters.');
    expect((await run('add anna', 'two\nlines of it')).said).toMatch(/on one line/);
    expect((await run('add a/b', 'correct horse')).said).toMatch(/^The user name must be 1 to 64 letters/);
    for (const wrong of [
      '',
      'add',
      'add anna correct-horse',
      'list all',
      'remove anna',
      'add anna --role king',
    ])
      expect(await run(wrong, 'correct horse'), wrong).toMatchObject({
        code: 2,
        said: expect.stringMatching(/usage: /),
      });
    expect((await run('list')).said).toBe('There is no user yet.');
  });
});
