// `doctor rtsp://…`: connects once to a camera and reports what it sends and what would stop a browser from playing it.
// Measuring and words; connecting and decoding are the same parts that the service uses.

import { silentLog } from './base/log.ts';
import { CodecPool } from './codec/pool.ts';
import { loadConfig } from './config.ts';
import { AppError, CameraError } from './errors.ts';
import { AddressPolicy } from './ingest/address-policy.ts';
import type { AccessUnit, VideoParameters } from './media/access-unit.ts';
import { type CameraUrl, formatCameraUrl, parseCameraUrl } from './media/camera-url.ts';
import { type ResolveAddress, RtspClient } from './rtsp/client.ts';

export interface Diagnosis {
  readonly camera: string;
  readonly server: string | undefined;
  readonly transport: 'tcp' | 'udp';
  readonly video: VideoParameters;
  /** Measured over the observation. */
  readonly fps: number;
  readonly kilobitsPerSecond: number;
  /** ms between keyframes; null when fewer than two came. */
  readonly keyframeInterval: number | null;
  readonly reordered: boolean;
  readonly lostPackets: number;
  /** ms from the beginning of the attempt. */
  readonly connected: number;
  readonly firstUnit: number;
  /** A decoded picture; null when none could be made. */
  readonly firstPicture: number | null;
  readonly decoderTrouble: string | null;
}

export interface DoctorOptions {
  readonly url: CameraUrl;
  readonly resolve: ResolveAddress;
  /** How long the camera is watched, ms; longer when it needs longer for a second keyframe. */
  readonly observeMs?: number;
  readonly mostMs?: number;
}

/** @throws CameraError when the camera gives no video at all. */
export async function diagnose({
  url,
  resolve,
  observeMs = 4_000,
  mostMs = 12_000,
}: DoctorOptions): Promise<Diagnosis> {
  const pool = new CodecPool({ maxWorkers: 1, log: silentLog });
  const began = performance.now();
  const units: AccessUnit[] = [];
  const seen = {
    video: null as VideoParameters | null,
    picture: null as number | null,
    trouble: null as string | null,
  };
  let channel: ReturnType<CodecPool['open']> | null = null;
  const look = (unit: AccessUnit) => {
    channel ??= pool.open(
      unit.codec,
      {
        picture: { width: 640, height: 480, fps: 15, quality: 80 },
        faces: { width: 640, height: 480, fps: 5, minFaceSize: 40 },
      },
      { pictures: true, faces: false },
      {
        onPicture: () => {
          seen.picture ??= performance.now() - began;
        },
        onTrouble: (message) => {
          seen.trouble = message;
        },
        onReset: () => {
          seen.trouble = 'the decoder crashed on this video';
        },
      },
    );
    channel.send(unit);
  };
  try {
    const client = await RtspClient.connect({
      url,
      resolve,
      events: {
        onVideo: (video) => {
          seen.video = video;
        },
        onAccessUnit: (unit) => {
          // Only what the figures need is kept: a camera at 100 Mbit/s is watched in little memory.
          units.push({ ...unit, data: noBytes, bytes: unit.data.byteLength } as Measured);
          look(unit);
        },
      },
    });
    const connected = performance.now() - began;
    await observe(client, units, connected + began, observeMs, mostMs);
    const { stats } = client;
    await client.close();
    return {
      camera: formatCameraUrl(url, 'mask'),
      server: client.server,
      transport: stats.transport,
      lostPackets: stats.lostPackets,
      video: seen.video!,
      ...measure(units as Measured[]),
      connected,
      firstUnit: units[0]!.receivedAt - began,
      firstPicture: seen.picture,
      decoderTrouble: seen.trouble,
    };
  } finally {
    await pool.close();
  }
}

const noBytes = new Uint8Array(0);

type Measured = AccessUnit & { readonly bytes: number };

async function observe(
  client: RtspClient,
  units: readonly AccessUnit[],
  since: number,
  observeMs: number,
  mostMs: number,
): Promise<void> {
  let ended: CameraError | null = null;
  void client.closed.then((reason) => {
    ended = reason ?? new CameraError('connection_lost');
  });
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const watched = performance.now() - since;
    if (ended !== null && units.length === 0) throw ended;
    const keyframes = units.filter(({ keyframe }) => keyframe).length;
    if (ended !== null || watched > mostMs || (watched > observeMs && keyframes >= 2)) break;
  }
  if (units.length > 0) return;
  await client.close();
  throw new CameraError(client.stats.packets > 0 ? 'no_picture' : 'no_packets');
}

function measure(units: readonly Measured[]) {
  const seconds = Math.max(0.001, (units.at(-1)!.receivedAt - units[0]!.receivedAt) / 1000);
  const keyframes = units.filter(({ keyframe }) => keyframe);
  const interval =
    keyframes.length < 2
      ? null
      : (keyframes.at(-1)!.receivedAt - keyframes[0]!.receivedAt) / (keyframes.length - 1);
  const bytes = units.reduce((sum, unit) => sum + unit.bytes, 0);
  return {
    fps: (units.length - 1) / seconds,
    kilobitsPerSecond: (bytes * 8) / 1000 / seconds,
    keyframeInterval: interval,
    reordered: units.some((unit, i) => i > 0 && unit.timestamp < units[i - 1]!.timestamp),
  };
}

const codecNames = { h264: 'H.264', h265: 'H.265', mjpeg: 'Motion JPEG' } as const;

/** The report as people read it, one fact a line, then what to know and what to mend. */
export function report(diagnosis: Diagnosis): string {
  const { video } = diagnosis;
  const size = video.width > 0 ? `${video.width} × ${video.height}` : 'not told';
  const declared = video.fps === null ? '' : ` (declared ${round(video.fps)})`;
  const facts: readonly (readonly [string, string])[] = [
    ['camera', diagnosis.camera + (diagnosis.server ? ` (${diagnosis.server.slice(0, 60)})` : '')],
    ['codec', `${codecNames[video.codec]}, ${video.codecString}`],
    ['size', size],
    ['frame rate', `${round(diagnosis.fps)} fps${declared}`],
    ['bit rate', `${Math.round(diagnosis.kilobitsPerSecond)} kbit/s`],
    [
      'keyframes',
      diagnosis.keyframeInterval === null
        ? 'fewer than two seen'
        : `every ${round(diagnosis.keyframeInterval / 1000)} s`,
    ],
    [
      'transport',
      diagnosis.transport.toUpperCase() +
        (diagnosis.lostPackets > 0 ? `, ${diagnosis.lostPackets} packets lost` : ''),
    ],
    ['connected after', `${Math.round(diagnosis.connected)} ms`],
    [
      'first picture after',
      diagnosis.firstPicture === null ? 'none could be made' : `${Math.round(diagnosis.firstPicture)} ms`,
    ],
  ];
  const lines = facts.map(([name, value]) => `${`${name}:`.padEnd(22)}${value}`);
  return [...lines, '', ...advice(diagnosis).map((line) => `- ${line}`)].join('\n');
}

function advice(diagnosis: Diagnosis): string[] {
  const { video, keyframeInterval } = diagnosis;
  const lines: string[] = [];
  if (diagnosis.firstPicture === null)
    lines.push(
      `No picture could be decoded${diagnosis.decoderTrouble ? `: ${diagnosis.decoderTrouble}` : ''}.`,
    );
  else lines.push('The JPEG view of this service shows this camera in every browser.');
  if (video.codec === 'h265')
    lines.push(
      'Many browsers cannot decode H.265 by themselves; set the camera to H.264 for playback without transcoding.',
    );
  if (video.codec === 'mjpeg')
    lines.push('Motion JPEG needs several times the bandwidth of H.264 on the way from the camera.');
  if (diagnosis.reordered)
    lines.push(
      'The camera sends B-frames, which add delay; switch them off (profile “baseline”, or B-frames 0).',
    );
  if (keyframeInterval !== null && keyframeInterval > 5_000)
    lines.push(
      'Keyframes are rare: after an interruption it takes long to a clean picture; 1 to 2 s is a good interval.',
    );
  if (keyframeInterval === null)
    lines.push(
      'Fewer than two keyframes came while watching; set the keyframe interval of the camera to 1 to 2 s.',
    );
  if (diagnosis.lostPackets > 0)
    lines.push('Packets were lost on the way; a cable, or TCP instead of UDP, helps.');
  return lines;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const usage = `usage: rtsp-stream-viewer doctor rtsp://[user:password@]host[:port]/path

Single quotes around the address keep the shell from reading ! and & in it.`;

/** @returns the exit code: 0 the camera can be shown, 1 it cannot, 2 wrong usage. */
export async function doctor(args: readonly string[]): Promise<number> {
  const [text, ...rest] = args;
  if (text === undefined || rest.length > 0 || text.startsWith('-')) {
    console.error(usage);
    return 2;
  }
  const config = loadConfig(process.env);
  const policy = new AddressPolicy({
    allowed: config.rtspAllowedNetworks,
    denied: config.rtspDeniedNetworks,
  });
  try {
    const diagnosis = await diagnose({ url: parseCameraUrl(text), resolve: (host) => policy.resolve(host) });
    console.log(report(diagnosis));
    return diagnosis.firstPicture === null ? 1 : 0;
  } catch (error) {
    if (!(error instanceof CameraError || error instanceof AppError)) throw error;
    console.error(`${error.message}\n(${error.code})`);
    return error instanceof AppError ? 2 : 1;
  }
}
