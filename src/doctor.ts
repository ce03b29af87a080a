// `doctor rtsp://…`: connects once to a camera and reports what it sends and what would stop a browser from playing it.
// Its command line and its report; looking is camera-probe.ts's, advice camera-advice.ts's.

import { silentLog } from './base/log.ts';
import { codecNames, videoAdvice } from './camera-advice.ts';
import { type Observation, probe } from './camera-probe.ts';
import { CodecPool } from './codec/pool.ts';
import { loadConfig } from './config.ts';
import { AppError, CameraError } from './errors.ts';
import { AddressPolicy } from './ingest/address-policy.ts';
import { type CameraUrl, formatCameraUrl, parseCameraUrl } from './media/camera-url.ts';
import type { ResolveAddress } from './rtsp/client.ts';

export interface Diagnosis extends Observation {
  readonly camera: string;
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
  try {
    const observation = await probe({
      url,
      resolve,
      pool,
      channel: {
        picture: { width: 640, height: 480, fps: 15, quality: 80 },
        faces: { width: 640, height: 480, fps: 5, minFaceSize: 40 },
      },
      enough: ({ watched, keyframes }) => watched > mostMs || (watched > observeMs && keyframes >= 2),
    });
    return { camera: formatCameraUrl(url, 'mask'), ...observation };
  } finally {
    await pool.close();
  }
}

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
  const { firstPicture, decoderTrouble } = diagnosis;
  const shown =
    firstPicture === null
      ? `No picture could be decoded${decoderTrouble ? `: ${decoderTrouble}` : ''}.`
      : 'The JPEG view of this service shows this camera in every browser.';
  return [shown, ...videoAdvice(diagnosis)];
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
