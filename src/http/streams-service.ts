// What may be done with saved streams: the rules between the REST routes, the table and the running cameras.
// No HTTP, no SQL, no video.

import { AppError, streamNotFound } from '../errors.ts';
import type { Picture } from '../media/access-unit.ts';
import { type CameraUrl, cameraKey, formatCameraUrl } from '../media/camera-url.ts';
import type { SavedStream, StreamChoice } from '../media/saved-stream.ts';
import { type AddressMember, readAddress } from './camera-address.ts';
import type {
  LiveStreams,
  NamedStats,
  StreamAction,
  StreamInput,
  StreamPatch,
  StreamService,
  StreamStats,
  StreamStore,
  StreamView,
} from './ports.ts';
import type { StreamRecords } from './record-ports.ts';

export interface SavedStreamServiceOptions {
  readonly store: StreamStore;
  readonly live: LiveStreams;
  readonly maxStreams: number;
  /** What was recorded of streams, to be deleted with them. */
  readonly records: StreamRecords;
  /** A stream was created, changed or deleted here: other instances are to know. */
  readonly onChange?: (id: string) => void;
  /** How long a snapshot waits for the first picture, ms. */
  readonly snapshotTimeoutMs?: number;
}

const creation = Symbol('creation');

export class SavedStreamService implements StreamService {
  readonly #store: StreamStore;
  readonly #live: LiveStreams;
  readonly #maxStreams: number;
  readonly #records: StreamRecords;
  readonly #snapshotTimeoutMs: number;
  readonly #onChange: ((id: string) => void) | undefined;
  /** What the running cameras were told of each stream, as text. */
  readonly #told = new Map<string, string>();
  /** The last change of each stream (and of their number): the next one waits for it. */
  readonly #changes = new Map<string | symbol, Promise<unknown>>();

  constructor({
    store,
    live,
    maxStreams,
    records,
    onChange,
    snapshotTimeoutMs = 5_000,
  }: SavedStreamServiceOptions) {
    this.#records = records;
    this.#onChange = onChange;
    this.#store = store;
    this.#live = live;
    this.#maxStreams = maxStreams;
    this.#snapshotTimeoutMs = snapshotTimeoutMs;
  }

  /** Hands every saved stream to the running cameras; once, before anything else is asked. */
  async start(): Promise<void> {
    for (const saved of await this.#store.list()) this.#tell(saved);
  }

  /**
   * Reads a stream anew.
   * @param changed another instance has just changed it; else the running camera is told only if there is news.
   */
  refresh(id: string, changed = false): Promise<void> {
    return this.#inTurn(id, async () => {
      const saved = await this.#store.get(id);
      if (!saved) await this.#forget(id);
      else if (changed || this.#told.get(id) !== textOf(saved)) this.#tell(saved);
    });
  }

  /** Reads all streams anew: messages of other instances may have been lost. */
  async refreshAll(): Promise<void> {
    const saved = await this.#store.list();
    const changed = saved.filter((each) => this.#told.get(each.id) !== textOf(each)).map(({ id }) => id);
    const there = new Set(saved.map(({ id }) => id));
    const gone = [...this.#told.keys()].filter((id) => !there.has(id));
    // One by one and read once more: what is changed here meanwhile is newer than this list.
    for (const id of [...changed, ...gone]) await this.refresh(id);
  }

  create(input: StreamInput): Promise<StreamView> {
    const address = readAddress(input.rtsp_url, 'rtsp_url', []);
    const detectionAddress =
      input.detection_url === null ? null : readAddress(input.detection_url, 'detection_url', [address]);
    return this.#inTurn(creation, async () => {
      const choice = {
        name: input.name,
        description: input.description,
        address,
        detectionAddress,
        detectionEnabled: input.detection_enabled,
        confidenceThreshold: input.confidence_threshold,
        wanted: 'running',
      } as const;
      const saved = await this.#store.create(choice, this.#maxStreams);
      this.#tell(saved);
      this.#onChange?.(saved.id);
      return this.#view(saved);
    });
  }

  async list(page: { limit?: number | undefined; after?: string | undefined } = {}): Promise<StreamView[]> {
    return (await this.#store.list(page)).map((saved) => this.#view(saved));
  }

  async get(id: string): Promise<StreamView> {
    return this.#view(await this.#find(id));
  }

  update(id: string, patch: StreamPatch): Promise<StreamView> {
    return this.#inTurn(id, async () => this.#change(id, changeOf(await this.#find(id), patch)));
  }

  setStatus(id: string, action: StreamAction): Promise<StreamView> {
    return this.#inTurn(id, async () => {
      const saved = await this.#find(id);
      if (action === 'start' && saved.problem !== null)
        throw new AppError(409, 'credentials_locked', saved.problem);
      const changes: Record<StreamAction, Partial<StreamChoice>> = {
        start: { wanted: 'running' },
        stop: { wanted: 'stopped' },
        pause: { detectionEnabled: false },
        resume: { detectionEnabled: true },
      };
      return this.#change(id, changes[action]);
    });
  }

  remove(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      await this.#find(id);
      // In small steps; what is recorded meanwhile goes with the stream itself.
      await this.#records.clear(id);
      // The row first: whatever ends the process now, the camera does not come back.
      const images = await this.#store.delete(id);
      if (!images) throw streamNotFound();
      this.#onChange?.(id);
      await this.#forget(id);
      this.#records.discard(images);
    });
  }

  async stats(id: string): Promise<StreamStats> {
    return this.#stats(await this.#find(id));
  }

  async allStats(): Promise<NamedStats[]> {
    return (await this.#store.list()).map((saved) => ({ ...this.#stats(saved), name: saved.name }));
  }

  async snapshot(id: string): Promise<Picture> {
    await this.#findRunning(id);
    return this.#live.snapshot(id, this.#snapshotTimeoutMs);
  }

  async pictures(
    id: string,
    onPicture: (picture: Picture) => boolean,
    { fps, onEnd }: { readonly fps: number | null; readonly onEnd: () => void },
  ): Promise<() => void> {
    await this.#findRunning(id);
    return this.#live.watch(id, fps, onPicture, onEnd);
  }

  async #find(id: string): Promise<SavedStream> {
    const saved = await this.#store.get(id);
    if (!saved) throw streamNotFound();
    return saved;
  }

  async #findRunning(id: string): Promise<void> {
    const saved = await this.#find(id);
    this.#know(saved);
    if (saved.problem !== null) throw new AppError(503, 'credentials_locked', saved.problem);
    if (saved.wanted === 'stopped')
      throw new AppError(503, 'stream_stopped', 'The stream is stopped; start it to see pictures.');
  }

  async #change(id: string, change: Partial<StreamChoice>): Promise<StreamView> {
    const saved = await this.#store.update(id, change);
    if (!saved) throw streamNotFound();
    this.#tell(saved);
    this.#onChange?.(id);
    return this.#view(saved);
  }

  /** Also when nothing is new: a "start" by hand is what a camera in `error` waits for. */
  #tell(saved: SavedStream): void {
    const known = this.#told.has(saved.id);
    this.#told.set(saved.id, textOf(saved));
    if (known) this.#live.change(approachable(saved));
    else this.#live.add(approachable(saved));
  }

  async #forget(id: string): Promise<void> {
    this.#told.delete(id);
    await this.#live.remove(id);
  }

  #stats(saved: SavedStream): StreamStats {
    this.#know(saved);
    const { status, viewers, stats } = this.#live.state(saved.id);
    return { stream_id: saved.id, status: saved.problem === null ? status : 'error', viewers, ...stats };
  }

  /** Created by another instance a moment ago. Without others, it was deleted here while it was being read. */
  #know(saved: SavedStream): void {
    if (this.#onChange && !this.#told.has(saved.id)) this.#tell(saved);
  }

  #view(saved: SavedStream): StreamView {
    this.#know(saved);
    const state = this.#live.state(saved.id);
    const locked = saved.problem !== null;
    const lastConnected = saved.lastConnected === null ? null : new Date(saved.lastConnected).toISOString();
    return {
      id: saved.id,
      name: saved.name,
      description: saved.description,
      rtsp_url: formatCameraUrl(saved.address, 'mask'),
      detection_url: saved.detectionAddress && formatCameraUrl(saved.detectionAddress, 'mask'),
      detection_enabled: saved.detectionEnabled,
      confidence_threshold: saved.confidenceThreshold,
      status: locked ? 'error' : state.status,
      last_connected: state.lastConnected ?? lastConnected,
      last_error: saved.problem ?? state.lastError,
      video: locked ? null : state.video,
      viewers: state.viewers,
      created_at: new Date(saved.createdAt).toISOString(),
      key: cameraKey(saved.address),
    };
  }

  /** Runs `change` after the changes of the same stream that came before it, whatever became of them. */
  async #inTurn<T>(key: string | symbol, change: () => Promise<T>): Promise<T> {
    const before = this.#changes.get(key) ?? Promise.resolve();
    const mine = before.then(change, change);
    this.#changes.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#changes.get(key) === mine) this.#changes.delete(key);
    }
  }
}

/** All but what a running camera changes by itself. */
function textOf(saved: SavedStream): string {
  return JSON.stringify({ ...saved, lastConnected: null });
}

/** A camera whose password cannot be read is left alone: asking without it would look like a wrong password. */
function approachable(saved: SavedStream): SavedStream {
  return saved.problem === null ? saved : { ...saved, wanted: 'stopped' };
}

function changeOf(saved: SavedStream, patch: StreamPatch): Partial<StreamChoice> {
  const address = changedAddress(patch.rtsp_url, 'rtsp_url', saved, [saved.address]);
  const known = saved.detectionAddress ? [saved.detectionAddress, saved.address] : [saved.address];
  const detectionAddress =
    patch.detection_url === null ? null : changedAddress(patch.detection_url, 'detection_url', saved, known);
  return {
    ...(patch.name !== undefined && { name: patch.name }),
    ...(patch.description !== undefined && { description: patch.description }),
    ...(patch.detection_enabled !== undefined && { detectionEnabled: patch.detection_enabled }),
    ...(patch.confidence_threshold !== undefined && { confidenceThreshold: patch.confidence_threshold }),
    ...(address !== undefined && { address }),
    ...(detectionAddress !== undefined && { detectionAddress }),
  };
}

/** Undefined when the address stays as it is: not given, or the masked one sent back by a form. */
function changedAddress(
  text: string | undefined,
  member: AddressMember,
  saved: SavedStream,
  known: readonly CameraUrl[],
): CameraUrl | undefined {
  if (text === undefined) return undefined;
  const own = member === 'rtsp_url' ? saved.address : saved.detectionAddress;
  if (own && text.trim() === formatCameraUrl(own, 'mask')) return undefined;
  return readAddress(text, member, saved.problem === null ? known : []);
}
