// Which depacketizer reads which video.
// What each does is in its own file.

import type { VideoTrack } from '../sdp.ts';
import type { Depacketizer, DepacketizerSink } from './depacketizer.ts';
import { H264Depacketizer } from './h264.ts';
import { H265Depacketizer } from './h265.ts';
import { MjpegDepacketizer } from './mjpeg.ts';

export function createVideoDepacketizer(track: VideoTrack, sink: DepacketizerSink): Depacketizer {
  if (track.codec === 'h264') return new H264Depacketizer(track.parameterSets, sink);
  if (track.codec === 'h265') return new H265Depacketizer(track.parameterSets, track.donl, sink);
  return new MjpegDepacketizer(track.size, track.fps, sink);
}
