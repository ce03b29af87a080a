// What scripts/fuzz.ts feeds: each parser, and what it holds. The samples are fuzz-corpus.ts's.
// How they are bent, measured and judged is fuzz.ts's work.

import { parseAacConfig } from '../src/media/aac.ts';
import { parseH264Sps } from '../src/media/h264.ts';
import { parseH265Sps } from '../src/media/h265.ts';
import { jpegSize } from '../src/media/jpeg.ts';
import { splitAnnexB } from '../src/media/nal.ts';
import { createAudioDepacketizer } from '../src/rtsp/depacketize/audio.ts';
import { createVideoDepacketizer } from '../src/rtsp/depacketize/video.ts';
import { parseAuthorization, parseChallenges } from '../src/rtsp/digest.ts';
import { RtspParser, RtspSyntaxError } from '../src/rtsp/message.ts';
import { ReorderBuffer } from '../src/rtsp/reorder.ts';
import { parseRtcp } from '../src/rtsp/rtcp.ts';
import { createRtpPacket, parseRtp } from '../src/rtsp/rtp.ts';
import { RtpReceiver } from '../src/rtsp/rtp-receiver.ts';
import { baseUrl, chooseVideo, controlUrl, parseSdp, type VideoTrack } from '../src/rtsp/sdp.ts';
import { chooseAudio } from '../src/rtsp/sdp-audio.ts';
import { readStreamMuxConfig } from '../src/rtsp/stream-mux-config.ts';
import { parseTransport } from '../src/rtsp/transport-header.ts';
import { type FuzzName, response } from './fuzz-corpus.ts';

export interface FuzzTarget {
  readonly name: FuzzName;
  run(input: Uint8Array, random: (below: number) => number): void;
  /** Bytes held now. */
  retained(): number;
}

const track: VideoTrack = {
  codec: 'h264',
  payloadType: 96,
  clockRate: 90_000,
  control: undefined,
  parameterSets: [],
  donl: false,
  size: null,
  fps: null,
};

/** A stream that goes on over many inputs, so that what one leaves behind meets the next. */
function receiverTarget(name: FuzzName, of: Partial<VideoTrack>): FuzzTarget {
  const format = { ...track, ...of };
  const depacketizer = createVideoDepacketizer(format, {
    onVideo: () => undefined,
    onAccessUnit: (unit) => {
      if (unit.data.length === 0) throw new Error('an empty access unit');
    },
    onDropped: () => undefined,
  });
  return receiving(name, new RtpReceiver(format, depacketizer));
}

/** The same of sound, described by lines of SDP. */
function audioTarget(name: FuzzName, ...lines: string[]): FuzzTarget {
  const choice = chooseAudio(parseSdp(['m=audio 0 RTP/AVP 96', ...lines].join('\n')));
  if (choice.kind !== 'track') throw new Error(`${name}: no such audio`);
  const depacketizer = createAudioDepacketizer(choice.track, {
    onUnit: (data, _timestamp, duration) => {
      if (data.length === 0 || !(duration > 0)) throw new Error('an empty unit of sound');
    },
    onDropped: () => undefined,
  });
  return receiving(name, new RtpReceiver(choice.track, depacketizer));
}

function receiving(name: FuzzName, receiver: RtpReceiver): FuzzTarget {
  let now = 0;
  return {
    name,
    run(input, random) {
      // Mostly in sequence: a stream of nothing but losses would leave the depacketizers idle.
      if (input.length > 4 && random(8) > 0) {
        const sequence = now & 0xffff;
        input[2] = sequence >> 8;
        input[3] = sequence;
      }
      receiver.push(input, (now += 1));
    },
    retained: () => receiver.retainedBytes,
  };
}

function streamTarget(): FuzzTarget {
  let parser = new RtspParser();
  let left = 0;
  return {
    name: 'stream',
    run(input, random) {
      if (left-- === 0) {
        parser = new RtspParser();
        parser.push(response, () => undefined);
        if (random(2)) parser.expectChannels(new Set([0, 1]));
        left = random(8);
      }
      try {
        for (let at = 0; at < input.length; ) {
          const end = at + 1 + random(input.length);
          parser.push(input.subarray(at, end), () => undefined);
          at = end;
        }
      } catch (error) {
        if (!(error instanceof RtspSyntaxError)) throw error;
        left = 0;
      }
    },
    retained: () => parser.retained,
  };
}

function reorderTarget(): FuzzTarget {
  const buffer = new ReorderBuffer();
  let now = 0;
  return {
    name: 'reorder',
    run(input, random) {
      if (input.length < 4) return;
      const sequence = random(4) ? (now + random(8)) & 0xffff : (input[2]! << 8) | input[3]!;
      buffer.push(sequence, input.slice(), (now += 1), () => undefined);
    },
    retained: () => buffer.held * 8192,
  };
}

function pure(name: FuzzName, run: (input: Uint8Array) => void): FuzzTarget {
  return { name, run, retained: () => 0 };
}

const packet = createRtpPacket();

export const targets: readonly FuzzTarget[] = [
  streamTarget(),
  pure('sdp', (input) => {
    const description = parseSdp(input);
    const choice = chooseVideo(description);
    chooseAudio(description);
    if (choice.kind === 'track')
      controlUrl(baseUrl(description.control, undefined, 'rtsp://h/'), choice.track.control);
  }),
  pure('headers', (input) => {
    const text = Buffer.from(input).toString('latin1');
    parseChallenges([text]);
    parseAuthorization(text);
    parseTransport(text);
  }),
  pure('rtcp', parseRtcp),
  pure('rtp', (input) => {
    if (
      parseRtp(input, packet) &&
      (packet.payloadStart > packet.payloadEnd || packet.payloadEnd > input.length)
    )
      throw new Error('payload outside of the packet');
  }),
  receiverTarget('h264', {}),
  receiverTarget('h265', { codec: 'h265' }),
  receiverTarget('mjpeg', { codec: 'mjpeg', payloadType: 26 }),
  audioTarget('aac', 'a=rtpmap:96 MPEG4-GENERIC/16000/1', 'a=fmtp:96 mode=AAC-hbr;config=1408'),
  audioTarget('latm', 'a=rtpmap:96 MP4A-LATM/48000/2', 'a=fmtp:96 cpresent=0;config=400023203fc0'),
  audioTarget('opus', 'a=rtpmap:96 opus/48000/2'),
  audioTarget('pcm', 'a=rtpmap:96 L16/16000/2'),
  pure('sets', (input) => {
    parseAacConfig(input);
    readStreamMuxConfig(input);
    parseH264Sps(input);
    parseH265Sps(input);
    jpegSize(input);
    splitAnnexB(input);
  }),
  reorderTarget(),
];
