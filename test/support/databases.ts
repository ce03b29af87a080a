// Both databases of the service for tests that must hold on either: a fresh one for each test.
// What is in them is up to the tests; PostgreSQL itself is in postgres-server.ts.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { type Database, type OpenOptions, openDatabase } from '../../src/db/database.ts';
import { skipsWithout } from './components.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

export interface TestDatabases {
  readonly kind: 'sqlite' | 'postgresql';
  /** What `openDatabase` takes, of a database in which nothing is yet. */
  place(): Promise<string>;
  /** A fresh one, or the one at `place` once more; closed after the test. */
  open(place?: string, options?: OpenOptions): Promise<Database>;
}

/** Defines the same tests for SQLite and for PostgreSQL. */
export function onEachDatabase(define: (databases: TestDatabases) => void): void {
  describe('in SQLite', () => {
    const folders: string[] = [];
    afterAll(() => {
      for (const folder of folders) rmSync(folder, { recursive: true });
    });
    define(opening('sqlite', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'rtsp-viewer-db-'));
      folders.push(folder);
      return join(folder, 'test.sqlite');
    }));
  });
  inPostgres((server) => define(opening('postgresql', () => server().createDatabase())));
}

/** Defines tests for PostgreSQL alone, with one server for all of them. */
export function inPostgres(define: (server: () => PostgresServer) => void): void {
  describe.skipIf(skipsWithout('postgresql'))('in PostgreSQL', () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres();
    });
    afterAll(() => server.stop());
    define(() => server);
  });
}

function opening(kind: TestDatabases['kind'], place: () => Promise<string>): TestDatabases {
  const opened: Database[] = [];
  afterEach(async () => {
    for (const database of opened.splice(0).reverse()) await database.close();
  });
  return {
    kind,
    place,
    async open(where, options) {
      const database = await openDatabase(where ?? (await place()), options);
      opened.push(database);
      return database;
    },
  };
}
