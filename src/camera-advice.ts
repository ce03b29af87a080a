// What people are told about a camera that was looked at: what it sends in words, what stands in the way, what to do next.
// Words only; looking is camera-probe.ts's. Sentences about errors themselves are in errors.ts.

import type { CameraErrorCode } from './errors.ts';
import type { VideoParameters } from './media/access-unit.ts';
import type { AudioOffer } from './media/audio.ts';
import type { TallyFigures } from './video-tally.ts';

export const codecNames = { h264: 'H.264', h265: 'H.265', mjpeg: 'Motion JPEG' } as const;

const audioNames = {
  aac: 'AAC',
  opus: 'Opus',
  pcmu: 'G.711 µ-law',
  pcma: 'G.711 A-law',
  l16: 'PCM',
} as const;

export interface Seen extends Pick<TallyFigures, 'keyframeInterval' | 'reordered'> {
  readonly video: Pick<VideoParameters, 'codec'>;
  readonly lostPackets: number;
}

/** What would make a camera that works work better; empty when there is nothing to say. */
export function videoAdvice({ video, keyframeInterval, reordered, lostPackets }: Seen): string[] {
  const lines: string[] = [];
  if (video.codec === 'h265')
    lines.push(
      'Many browsers cannot decode H.265 by themselves; set the camera to H.264 for playback without transcoding.',
    );
  if (video.codec === 'mjpeg')
    lines.push('Motion JPEG needs several times the bandwidth of H.264 on the way from the camera.');
  if (reordered)
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
  if (lostPackets > 0) lines.push('Packets were lost on the way; a cable, or TCP instead of UDP, helps.');
  return lines;
}

const nextSteps: Readonly<Record<CameraErrorCode, string>> = {
  invalid_address: 'Write it as rtsp://user:password@host:port/path; the camera’s manual names the path.',
  address_denied:
    'Use another address, or have whoever runs this service change RTSP_ALLOWED_NETWORKS and RTSP_DENIED_NETWORKS.',
  wrong_password:
    'Check user name and password. Many cameras have a user of its own for RTSP or ONVIF, and lock it for minutes after several wrong attempts.',
  no_such_path: 'Check what follows the host in the address: the camera’s manual or its ONVIF page names it.',
  no_video: 'Check the path: this one may be of the sound alone, or of a channel without a camera.',
  codec_unsupported: 'Set the camera to H.264 (or H.265, or Motion JPEG).',
  not_rtsp: 'Check the port: it may be that of the camera’s web page. RTSP is usually at 554.',
  redirect_refused: 'Enter the address that the camera redirects to.',
  unknown_host: 'Check the name, or enter the camera’s IP address.',
  refused: 'Check the port (554 is usual), and that RTSP is switched on in the camera’s settings.',
  unreachable:
    'Check the IP address, power, cable and network (VLAN, firewall) between this server and the camera.',
  timeout:
    'Check the IP address, and whether a firewall is in between; a camera that has just started needs a minute.',
  server_full: 'Close other viewers or recorders of this camera, or use its sub-stream.',
  server_error: 'Restart the camera; if that does not help, try another path or profile of it.',
  session_lost: 'Try again; if it happens each time, another viewer may be displacing this one.',
  connection_lost: 'Try again; if it happens each time, check cable, power supply and Wi-Fi of the camera.',
  no_packets:
    'The camera accepts the connection and sends nothing: check that this channel or profile is switched on, and restart the camera.',
  no_picture:
    'Set the keyframe interval of the camera to 1 to 2 s; if that does not help, set it to H.264 with the profile “main”.',
  protocol: 'Update the camera’s firmware, or try another path or profile of it.',
  tls: 'Try rtsp:// instead of rtsps://, or check the camera’s certificate and encrypted port.',
};

/** What to do about a failure. */
export function nextStep(code: CameraErrorCode): string {
  return nextSteps[code];
}

/**
 * What to do where video comes and no picture can be made of it.
 * @param decoderRuns whether there is a process that could decode it.
 */
export function noPictureAdvice(
  { keyframeInterval }: Pick<Seen, 'keyframeInterval'>,
  decoderRuns: boolean,
): string {
  if (!decoderRuns)
    return 'This is no fault of the camera: the service’s own decoder does not run. Its log says why; free memory on this machine and restart the service.';
  // With keyframes at hand, more of them would not help.
  if (keyframeInterval !== null)
    return 'Its keyframes come and cannot be decoded: set the camera to H.264 with the profile “main”, or update its firmware.';
  return nextStep('no_picture');
}

const h264Profiles: Readonly<Record<string, string>> = {
  '42': 'Baseline',
  '4D': 'Main',
  '58': 'Extended',
  '64': 'High',
  '6E': 'High 10',
  '7A': 'High 4:2:2',
  F4: 'High 4:4:4 Predictive',
};
const h265Profiles: Readonly<Record<string, string>> = {
  '1': 'Main',
  '2': 'Main 10',
  '3': 'Main Still Picture',
  '4': 'Range Extensions',
};
/** Those with 8 bits and 4:2:0, which every browser's H.264 decoder has. */
const commonH264 = new Set(['Baseline', 'Main', 'High']);

/** Name of the profile in an RFC 6381 codec string; null when there is none or it is not known. */
export function profileName(codecString: string): string | null {
  const [kind, first = ''] = codecString.split('.');
  if (kind === 'avc1') return h264Profiles[first.slice(0, 2).toUpperCase()] ?? null;
  if (kind === 'hvc1' || kind === 'hev1') return h265Profiles[first.replace(/^[A-C]/, '')] ?? null;
  return null;
}

/** `depends`: on the browser and the machine that it runs on. */
export type Playable = 'yes' | 'depends' | 'no';

/** Whether browsers can play the video as the camera sends it, without transcoding. */
export function playableAsSent({ codec, codecString }: VideoParameters): Playable {
  if (codec === 'mjpeg') return 'no';
  return codec === 'h264' && commonH264.has(profileName(codecString) ?? '') ? 'yes' : 'depends';
}

/** Name of the sound, null for none. */
export function audioName(offer: AudioOffer | null): string | null {
  if (offer === null || offer.kind === 'none') return null;
  if (offer.kind === 'audio') return audioNames[offer.audio.codec];
  // The camera's own word.
  return `${offer.codec.replace(/[^\x20-\x7e]/g, '').slice(0, 40)} (cannot be played)`;
}
