// A camera's video as access units: the one entrance to the RTSP client.
// Follows redirects and changes the transport; does not reconnect, that is the ingest's decision.

import { AppError, CameraError } from '../errors.ts';
import { type CameraUrl, parseCameraUrl } from '../media/camera-url.ts';
import { type ResolveAddress, resolveAny } from './dial.ts';
import { RedirectAnswer } from './failure.ts';
import { type RtspClientEvents, RtspSession, type SessionOptions } from './session.ts';

export type { ResolveAddress } from './dial.ts';
export type { RtspClientEvents } from './session.ts';

export interface RtspClientOptions {
  readonly url: CameraUrl;
  /** `auto` (default): TCP, and UDP when the camera refuses TCP. `udp`: TCP when it is refused or nothing arrives in 3 s. */
  readonly transport?: 'auto' | 'tcp' | 'udp';
  /** Asked for every connection, so also at each redirect. Default: any address the system's resolver gives. */
  readonly resolve?: ResolveAddress;
  /** ms: TCP and TLS connect (5000), each answer (10000), everything up to PLAY (10000). */
  readonly timeouts?: { readonly connect?: number; readonly response?: number; readonly total?: number };
  /** rtsps: refuse certificates that cannot be verified. Default false, for cameras sign their own. */
  readonly tlsVerify?: boolean;
  readonly userAgent?: string;
  /** Ends connecting, or the connection, at once. */
  readonly signal?: AbortSignal;
  /** Sound is asked for when `events.onAudioUnit` is there and this is not false. */
  readonly audio?: boolean;
  readonly events: RtspClientEvents;
}

export interface RtspClientStats {
  readonly transport: 'tcp' | 'udp';
  /** RTP packets and their bytes. */
  readonly packets: number;
  readonly bytes: number;
  readonly lostPackets: number;
  /** `performance.now()`, ms; null before the first. */
  readonly lastPacketAt: number | null;
  readonly units: number;
  /** Damaged, too large, or before their parameter sets. */
  readonly droppedUnits: number;
  readonly lastUnitAt: number | null;
  /** Camera's wall-clock time of timestamp 0, ms since 1970; null before a sender report. */
  readonly wallClockOffset: number | null;
  /** Null unless sound was set up. */
  readonly audio: {
    readonly packets: number;
    readonly lostPackets: number;
    readonly units: number;
    /** Broken, or with parts missing. */
    readonly droppedUnits: number;
  } | null;
}

const maxRedirects = 3;
const udpPatience = 3000;

export class RtspClient {
  readonly #session: RtspSession;
  /** Null when we closed it, else why it ended. Never rejects. */
  readonly closed: Promise<CameraError | null>;

  private constructor(session: RtspSession, signal: AbortSignal | undefined) {
    this.#session = session;
    const onAbort = () => void session.close();
    signal?.addEventListener('abort', onAbort);
    this.closed = session.ended.then((reason) => {
      signal?.removeEventListener('abort', onAbort);
      return reason;
    });
  }

  /**
   * Connects and plays; resolves once PLAY is accepted, over UDP once the first packet came.
   * `events` may be called before that. On failure nothing is left open and the camera's session is torn down.
   * @throws CameraError with a code for each kind of refusal; the signal's reason when aborted.
   */
  static async connect(options: RtspClientOptions): Promise<RtspClient> {
    options.signal?.throwIfAborted();
    const transport = options.transport ?? 'auto';
    const session = await playWithRedirects(options, transport);
    if (session.transport === 'tcp') return new RtspClient(session, options.signal);
    if (await packetsArrive(session, options.signal)) return new RtspClient(session, options.signal);
    await session.close();
    options.signal?.throwIfAborted();
    // In `auto` the camera has refused TCP already.
    if (transport === 'auto') throw new CameraError('no_packets', 'over UDP');
    return new RtspClient(await playWithRedirects(options, 'tcp'), options.signal);
  }

  get stats(): RtspClientStats {
    const session = this.#session;
    const receiver = session.receiver;
    const audio = session.audio;
    const orNull = (time: number | undefined) => (time === undefined || time < 0 ? null : time);
    return {
      transport: session.transport,
      packets: receiver?.packets ?? 0,
      bytes: receiver?.bytes ?? 0,
      lostPackets: receiver?.lostPackets ?? 0,
      lastPacketAt: orNull(receiver?.lastPacketAt),
      units: session.units,
      droppedUnits: session.droppedUnits,
      lastUnitAt: orNull(session.lastUnitAt),
      wallClockOffset: receiver?.wallClockOffset ?? null,
      audio: audio && {
        packets: audio.track.receiver.packets,
        lostPackets: audio.track.receiver.lostPackets,
        units: audio.units,
        droppedUnits: audio.droppedUnits,
      },
    };
  }

  /** The `Server` header, when there was one. */
  get server(): string | undefined {
    return this.#session.server;
  }

  /** Sends TEARDOWN, waits at most 500 ms for its answer, releases everything. */
  async close(): Promise<void> {
    await this.#session.close();
  }
}

async function packetsArrive(session: RtspSession, signal: AbortSignal | undefined): Promise<boolean> {
  const onAbort = () => void session.close();
  signal?.addEventListener('abort', onAbort);
  try {
    return await session.hasPacketsWithin(udpPatience);
  } catch (error) {
    await session.close();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function playWithRedirects(
  options: RtspClientOptions,
  transport: 'auto' | 'tcp' | 'udp',
): Promise<RtspSession> {
  const deadline = performance.now() + (options.timeouts?.total ?? 10_000);
  let url = options.url;
  let audio = options.audio !== false && options.events.onAudioUnit !== undefined;
  for (let hop = 0; ; ) {
    const session = new RtspSession(sessionOptions(options, url, transport, audio));
    try {
      await startWithin(session, deadline, options.signal);
      return session;
    } catch (error) {
      await session.close();
      options.signal?.throwIfAborted();
      if (audio && session.audioAtFault && !isPassword(error)) {
        // It fails at the sound: once more for the video alone.
        audio = false;
        continue;
      }
      if (!(error instanceof RedirectAnswer)) throw error;
      if (hop++ === maxRedirects) throw new CameraError('redirect_refused', 'too many of them');
      url = followed(url, error.location);
    }
  }
}

/** Cameras lock accounts: a password is never tried twice for the sake of the sound. */
function isPassword(error: unknown): boolean {
  return error instanceof CameraError && error.code === 'wrong_password';
}

function sessionOptions(
  options: RtspClientOptions,
  url: CameraUrl,
  transport: 'auto' | 'tcp' | 'udp',
  audio: boolean,
): SessionOptions {
  return {
    url,
    transport,
    audio,
    resolve: options.resolve ?? resolveAny,
    connectTimeout: options.timeouts?.connect ?? 5000,
    responseTimeout: options.timeouts?.response ?? 10_000,
    tlsVerify: options.tlsVerify ?? false,
    userAgent: options.userAgent ?? 'rtsp-stream-viewer',
    events: options.events,
  };
}

/** @throws what `start` throws; `timeout` at the deadline; after an abort `session.close` decides. */
async function startWithin(
  session: RtspSession,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const timer = setTimeout(
    () => session.fail(new CameraError('timeout')),
    Math.max(0, deadline - performance.now()),
  );
  const onAbort = () => void session.close();
  signal?.addEventListener('abort', onAbort);
  try {
    await session.start();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Where a redirect leads. The password goes along only to the same host, port and scheme. */
function followed(from: CameraUrl, location: string | undefined): CameraUrl {
  let to: CameraUrl;
  try {
    to = parseCameraUrl(location);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new CameraError('redirect_refused', undefined, { cause: error });
  }
  const same = to.host === from.host && to.port === from.port && to.scheme === from.scheme;
  return {
    ...to,
    username: same ? from.username : undefined,
    password: same ? from.password : undefined,
  };
}
