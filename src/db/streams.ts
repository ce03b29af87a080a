// The table of saved streams: the only place that reads and writes it, and that seals and opens camera passwords.
// No rules beyond that: what people may ask for is decided by the caller.

import type { Kysely, Selectable, Updateable } from 'kysely';
import { AppError } from '../errors.ts';
import { type CameraUrl, formatCameraUrl, hasSecrets, parseFormattedCameraUrl } from '../media/camera-url.ts';
import type { SavedStream, StreamChoice } from '../media/saved-stream.ts';
import { newId } from './id.ts';
import { imagesOfStream } from './images.ts';
import type { Schema, StreamTable } from './schema.ts';
import { inTransaction, keeping, oneAtATime } from './transactions.ts';

/** Encrypts passwords at rest; `open` throws an AppError whose message says that the password must be entered again. */
export interface PasswordBox {
  seal(text: string): string;
  open(sealed: string): string;
  /** False for what a former key sealed, which is to be sealed anew. */
  isCurrent(sealed: string): boolean;
}

/** What became of the sealed passwords when the keys were looked at. */
export interface Resealing {
  /** Rows whose password was sealed with a former key and now is with the current one. */
  readonly resealed: number;
  /** Names of the streams whose password cannot be opened with any key and must be entered again. */
  readonly locked: readonly string[];
}

export class StreamRepository {
  readonly #db: Kysely<Schema>;
  readonly #box: PasswordBox;

  constructor(db: Kysely<Schema>, box: PasswordBox) {
    this.#db = db;
    this.#box = box;
  }

  /**
   * @param most streams that there may be, whoever else creates some at the same time.
   * @throws AppError 409 `too_many_streams`.
   */
  async create(choice: StreamChoice, most = Number.POSITIVE_INFINITY): Promise<SavedStream> {
    const createdAt = Date.now();
    const row: StreamTable = {
      id: newId(createdAt),
      name: choice.name,
      description: choice.description,
      ...this.#mainColumns(choice.address),
      ...this.#detectionColumns(choice.detectionAddress),
      detection_enabled: Number(choice.detectionEnabled),
      confidence_threshold: choice.confidenceThreshold,
      wanted: choice.wanted,
      last_connected: null,
      created_at: createdAt,
    };
    await inTransaction(this.#db, async (transaction) => {
      await oneAtATime(transaction, 'create a stream');
      if ((await count(transaction)) >= most) throw tooMany(most);
      await transaction.insertInto('streams').values(row).execute();
    });
    return this.#read(row);
  }

  /** In order of creation. @param page at most `limit` of those after the stream with id `after`. */
  async list(page: { limit?: number | undefined; after?: string | undefined } = {}): Promise<SavedStream[]> {
    let query = this.#db.selectFrom('streams').selectAll().orderBy('id');
    if (page.after !== undefined) query = query.where('id', '>', page.after);
    if (page.limit !== undefined) query = query.limit(page.limit);
    return (await query.execute()).map((row) => this.#read(row));
  }

  async get(id: string): Promise<SavedStream | undefined> {
    const row = await this.#db.selectFrom('streams').selectAll().where('id', '=', id).executeTakeFirst();
    return row && this.#read(row);
  }

  count(): Promise<number> {
    return count(this.#db);
  }

  /** Changes the given members only. @returns undefined when there is no such stream. */
  async update(id: string, change: Partial<StreamChoice>): Promise<SavedStream | undefined> {
    const columns: Updateable<StreamTable> = {};
    if (change.name !== undefined) columns.name = change.name;
    if (change.description !== undefined) columns.description = change.description;
    if (change.address !== undefined) Object.assign(columns, this.#mainColumns(change.address));
    if (change.detectionAddress !== undefined)
      Object.assign(columns, this.#detectionColumns(change.detectionAddress));
    if (change.detectionEnabled !== undefined) columns.detection_enabled = Number(change.detectionEnabled);
    if (change.confidenceThreshold !== undefined) columns.confidence_threshold = change.confidenceThreshold;
    if (change.wanted !== undefined) columns.wanted = change.wanted;
    if (Object.keys(columns).length === 0) return this.get(id);
    const row = await this.#db
      .updateTable('streams')
      .set(columns)
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    return row && this.#read(row);
  }

  async setWanted(id: string, wanted: StreamChoice['wanted']): Promise<SavedStream | undefined> {
    return this.update(id, { wanted });
  }

  /** @param at ms since 1970. */
  async setLastConnected(id: string, at: number): Promise<void> {
    await this.#db.updateTable('streams').set({ last_connected: at }).where('id', '=', id).execute();
  }

  /** Its detections and alerts go with it. @returns the names of their images; undefined when there is no such stream. */
  delete(id: string): Promise<readonly string[] | undefined> {
    return inTransaction(this.#db, async (transaction) => {
      // What is just being recorded of it is there afterwards, or was refused.
      const query = transaction.selectFrom('streams').select('id').where('id', '=', id);
      await keeping(transaction, query, 'mine').execute();
      const images = await imagesOfStream(transaction, id);
      const { numDeletedRows } = await transaction
        .deleteFrom('streams')
        .where('id', '=', id)
        .executeTakeFirst();
      return numDeletedRows > 0n ? images : undefined;
    });
  }

  /**
   * Seals anew what a former key sealed, so that the former key can be forgotten; at start, before anything else
   * writes. What no key opens is left as it is: its key may come back.
   */
  async reseal(): Promise<Resealing> {
    const rows = await this.#db
      .selectFrom('streams')
      .select(['id', 'name', 'rtsp_password', 'detection_password'])
      .orderBy('id')
      .execute();
    const locked: string[] = [];
    let resealed = 0;
    for (const row of rows) {
      const [main, detection] = [row.rtsp_password, row.detection_password].map((sealed) =>
        this.#anew(sealed),
      );
      if (main === 'locked' || detection === 'locked') locked.push(row.name);
      const columns: Updateable<StreamTable> = {};
      if (typeof main === 'object') columns.rtsp_password = main.sealed;
      if (typeof detection === 'object') columns.detection_password = detection.sealed;
      if (Object.keys(columns).length === 0) continue;
      await this.#db.updateTable('streams').set(columns).where('id', '=', row.id).execute();
      resealed += 1;
    }
    return { resealed, locked };
  }

  #anew(sealed: string | null): 'kept' | 'locked' | { readonly sealed: string } {
    if (sealed === null) return 'kept';
    let text: string;
    try {
      text = this.#box.open(sealed);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return 'locked';
    }
    return this.#box.isCurrent(sealed) ? 'kept' : { sealed: this.#box.seal(text) };
  }

  #mainColumns(address: CameraUrl): Pick<StreamTable, 'rtsp_url' | 'rtsp_password'> {
    return { rtsp_url: formatCameraUrl(address, 'omit'), rtsp_password: this.#seal(address) };
  }

  #detectionColumns(address: CameraUrl | null): Pick<StreamTable, 'detection_url' | 'detection_password'> {
    if (address === null) return { detection_url: null, detection_password: null };
    return { detection_url: formatCameraUrl(address, 'omit'), detection_password: this.#seal(address) };
  }

  /** The whole address, so that its secrets come back in their places and go to no other host than they were given for. */
  #seal(address: CameraUrl): string | null {
    return hasSecrets(address) ? this.#box.seal(formatCameraUrl(address, 'keep')) : null;
  }

  #read(row: Selectable<StreamTable>): SavedStream {
    let problem: string | null = null;
    const open = (url: string, sealed: string | null): CameraUrl => {
      const address = parseFormattedCameraUrl(url);
      if (sealed === null) return address;
      try {
        return unsealed(address, this.#box.open(sealed));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        problem = error.message;
        return address;
      }
    };
    const address = open(row.rtsp_url, row.rtsp_password);
    const detectionAddress =
      row.detection_url === null ? null : open(row.detection_url, row.detection_password);
    return {
      id: row.id,
      name: row.name,
      description: row.description,
      address,
      detectionAddress,
      detectionEnabled: row.detection_enabled !== 0,
      confidenceThreshold: row.confidence_threshold,
      wanted: row.wanted,
      createdAt: row.created_at,
      lastConnected: row.last_connected,
      problem,
    };
  }
}

async function count(db: Kysely<Schema>): Promise<number> {
  const { rows } = await db
    .selectFrom('streams')
    .select((build) => build.fn.countAll<number | string>().as('rows'))
    .executeTakeFirstOrThrow();
  return Number(rows);
}

function tooMany(most: number): AppError {
  return new AppError(
    409,
    'too_many_streams',
    `There are ${most} streams already, as many as MAX_STREAMS allows; delete one first.`,
  );
}

/** Earlier rows have only the password before the host sealed, and no address is a password people use. */
function unsealed(address: CameraUrl, text: string): CameraUrl {
  return /^rtsps?:\/\//.test(text) ? parseFormattedCameraUrl(text) : { ...address, password: text };
}
