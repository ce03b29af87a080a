// What one video and one codec worker may cost at most, whatever a camera sends.
// Figures and the look at them; who acts on it is pool.ts, pool-channel.ts and the decoder.

import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { VideoCodec } from '../media/access-unit.ts';
import { parseH264Sps } from '../media/h264.ts';
import { parseH265Sps } from '../media/h265.ts';
import { jpegSize } from '../media/jpeg.ts';
import { h264Nal, h264NalType, h265Nal, h265NalType } from '../media/nal.ts';

const MiB = 1024 * 1024;

/** 8K UHD: larger pictures are refused before memory is taken for them. */
export const maxPixels = 7680 * 4320;

/** Largest access unit, bytes; twice what the depacketizers let through. */
export const maxUnitBytes = 8 * MiB;

/** Access units a second of one live video; no camera sends more than 120, and each may come as two fields. */
export const maxUnitsPerSecond = 240;
/** So many may come at once after a pause of the network: a few seconds of video. */
export const maxUnitsAtOnce = 480;

/**
 * Resident memory of one worker, bytes: 2 GiB, or half of what the machine or container has where that is less; at
 * least 512 MiB. For comparison: one with a 640×480 camera and the face detector has 0.25 GiB, one 8K decoder with
 * every reference picture the standards allow 0.9 GiB.
 */
export function workerMemoryLimit(): number {
  // Unlimited is told as 0 or as more than there is.
  const machine = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return Math.max(512 * MiB, Math.min(2048 * MiB, machine / 2));
}

/** Resident memory of a process, bytes; 0 where the system does not tell (only Linux does) or it is gone. */
export function residentMemory(pid: number): number {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return 0;
    throw error;
  }
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

/**
 * Pixels that an access unit's own headers announce: the largest SPS before the first slice, or the JPEG frame header.
 * 0 when it announces nothing that can be read. What is hidden from it (cropping, a second header) FFmpeg's own limit sees.
 */
export function announcedPixels(codec: VideoCodec, data: Uint8Array): number {
  if (codec === 'mjpeg') return area(jpegSize(data));
  let largest = 0;
  for (let one = data.indexOf(1, 2); one !== -1; one = data.indexOf(1, one + 1)) {
    if (data[one - 1] !== 0 || data[one - 2] !== 0) continue;
    const first = data[one + 1];
    if (
      first === undefined ||
      (codec === 'h264' ? isH264Slice(first) : h265NalType(first) <= h265Nal.lastVcl)
    )
      break;
    if (codec === 'h264' ? h264NalType(first) !== h264Nal.sps : h265NalType(first) !== h265Nal.sps) continue;
    // What follows the SPS in the unit is read past its own end by no field that matters here.
    const nal = data.subarray(one + 1, one + 1 + 4096);
    largest = Math.max(largest, area(codec === 'h264' ? parseH264Sps(nal) : parseH265Sps(nal)));
  }
  return largest;
}

function isH264Slice(first: number): boolean {
  const type = h264NalType(first);
  return type >= h264Nal.slice && type <= h264Nal.idr;
}

function area(size: { readonly width: number; readonly height: number } | null): number {
  return size === null ? 0 : size.width * size.height;
}
