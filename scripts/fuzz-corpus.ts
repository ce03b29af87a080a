// Valid samples of all that a camera sends, for scripts/fuzz.ts to bend.
// Which parser reads which sample, and how, is fuzz-targets.ts's.

import { serializeRequest, serializeResponse, writeInterleavedHeader } from '../src/rtsp/message.ts';
import { buildBye, buildReceiverReport, buildSdes, buildSenderReport, joinRtcp } from '../src/rtsp/rtcp.ts';
import { buildRtp } from '../src/rtsp/rtp.ts';

export type FuzzName =
  | 'stream'
  | 'sdp'
  | 'headers'
  | 'rtcp'
  | 'rtp'
  | 'h264'
  | 'h265'
  | 'mjpeg'
  | 'aac'
  | 'latm'
  | 'opus'
  | 'pcm'
  | 'sets'
  | 'reorder';

/** Parameter sets as real encoders write them. */
const h264Sets = ['Z0LAFtkAoD2wFqDAwNSgAAADACAAAAMD0eLFyQ==', 'aMuMsg=='].map(fromBase64);
const h265Sets = [
  'QAEMAf//BAgAAAMAmAgAAAMAAFqVmAk=',
  'QgEBBAgAAAMAmAgAAAMAAFqQAKBAPCKUsrNJJlf/gACAALUGBgYEAAADAAQAAAMAPCA=',
  'RAHBcrRiQA==',
].map(fromBase64);

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

function bytes(...parts: (number | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part])));
}

function rtp(payload: Uint8Array, marker: boolean, sequence: number, payloadType = 96): Uint8Array {
  return buildRtp({ payloadType, marker, sequence, timestamp: 3000 * sequence, ssrc: 1 }, payload);
}

function framed(channel: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + payload.length);
  writeInterleavedHeader(frame, 0, channel, payload.length);
  frame.set(payload, 4);
  return frame;
}

function sized(nal: Uint8Array): Uint8Array {
  return bytes(nal.length >> 8, nal.length & 255, nal);
}

const filler = Uint8Array.from({ length: 400 }, (_, i) => (i * 37) & 0xff);
const h264Packets = [
  rtp(bytes(24, ...h264Sets.map(sized)), false, 1),
  rtp(bytes(0x65, 0x88, filler), true, 1),
  rtp(bytes(0x7c, 0x85, 0x88, filler), false, 2),
  rtp(bytes(0x7c, 0x05, filler), false, 3),
  rtp(bytes(0x7c, 0x45, filler), true, 4),
  rtp(bytes(0x41, 0x9a, filler), true, 5),
  rtp(h264Sets[0]!, false, 6),
];
const h265Packets = [
  rtp(bytes(48 << 1, 1, ...h265Sets.map(sized)), false, 1),
  rtp(bytes(19 << 1, 1, 0x80, filler), true, 1),
  rtp(bytes(49 << 1, 1, 0x80 | 19, 0x80, filler), false, 2),
  rtp(bytes(49 << 1, 1, 19, filler), false, 3),
  rtp(bytes(49 << 1, 1, 0x40 | 19, filler), true, 4),
  rtp(bytes(2, 1, 0x80, filler), true, 5),
];
const mjpegPackets = [
  rtp(bytes(0, 0, 0, 0, 1, 80, 40, 30, filler), false, 1, 26),
  rtp(bytes(0, 0, 1, 0x90, 1, 80, 40, 30, filler), true, 2, 26),
  rtp(bytes(0, 0, 0, 0, 65, 255, 40, 30, 0, 1, 0xff, 0xff, 0, 0, 0, 128, filler), true, 3, 26),
  rtp(bytes(0, 0, 0, 0, 0, 130, 0, 0, 0, 0, 0, 128, filler), true, 4, 26),
];
/** Two access units in a packet, one in two packets, one of AAC's longest. */
const aacPackets = [
  rtp(bytes(0, 32, 0x06, 0x40, 0x06, 0x40, filler.subarray(0, 400)), true, 1),
  rtp(bytes(0, 16, 0x0c, 0x80, filler.subarray(0, 200)), false, 2),
  rtp(bytes(0, 16, 0x0c, 0x80, filler.subarray(0, 200)), true, 2),
  rtp(bytes(0, 16, 0xff, 0xf8, filler), false, 4),
];
const latmPackets = [
  rtp(bytes(255, 45, filler.subarray(0, 300)), true, 1),
  rtp(bytes(255, 245, filler.subarray(0, 250)), false, 2),
  rtp(filler.subarray(0, 250), true, 2),
];
const opusPackets = [rtp(bytes(0xfc, filler), true, 1), rtp(bytes(0xff, 3, filler), true, 2)];
const pcmPackets = [rtp(filler, true, 1), rtp(filler.subarray(0, 160), false, 2)];
const report = {
  ssrc: 1,
  fractionLost: 3,
  cumulativeLost: 4,
  highestSequence: 5,
  jitter: 6,
  lastSr: 7,
  delaySinceLastSr: 8,
};
const rtcp = joinRtcp(
  buildSenderReport({
    ssrc: 1,
    ntpSeconds: 3_900_000_000,
    ntpFraction: 5,
    rtpTimestamp: 6,
    packetCount: 7,
    octetCount: 8,
    reports: [report],
  }),
  buildReceiverReport(2, [report]),
  buildSdes(1, 'camera'),
  buildBye(1),
);
const sdpText = [
  'v=0',
  'o=- 1 1 IN IP4 10.0.0.1',
  'a=control:*',
  'm=audio 0 RTP/AVP 0',
  'a=control:trackID=2',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  `a=fmtp:96 packetization-mode=1;sprop-parameter-sets=${h264Sets.map((s) => Buffer.from(s).toString('base64')).join()}`,
  'a=framerate:25.0',
  'a=x-dimensions:640,480',
  'a=control:rtsp://10.0.0.1/trackID=1',
].join('\r\n');
export const response = serializeResponse({
  status: 200,
  headers: { CSeq: '3', Session: '12;timeout=30', 'Content-Base': 'rtsp://10.0.0.1/s/' },
  body: sdpText,
});
const request = serializeRequest({ method: 'SETUP', uri: 'rtsp://10.0.0.1/s', headers: { CSeq: '4' } });
const headerTexts = [
  'Digest realm="a", nonce="b", qop="auth,auth-int", algorithm=SHA-256, stale=true, Basic realm="c"',
  'Digest username="u", realm="a", nonce="b", uri="rtsp://h/s", response="0123", qop=auth, nc=00000001, cnonce="c"',
  'Basic dTpw',
  'RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=ABCDEF01,RTP/AVP;unicast;client_port=5000-5001;source=10.0.0.1',
].map((text) => Uint8Array.from(Buffer.from(text)));

export const corpus: Readonly<Record<FuzzName, readonly Uint8Array[]>> = {
  stream: [
    bytes(response, framed(0, h264Packets[1]!), framed(1, rtcp), framed(0, h264Packets[5]!)),
    bytes(framed(0, h264Packets[2]!), framed(0, h264Packets[3]!), request),
    bytes(request, response),
  ],
  sdp: [
    Uint8Array.from(Buffer.from(sdpText)),
    Uint8Array.from(
      Buffer.from(
        'm=audio 0 RTP/AVP 97\na=rtpmap:97 mpeg4-generic/16000/1\na=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408\nm=video 0 RTP/AVP 26\nm=video 1 RTP/AVP 97\na=rtpmap:97 H265/90000\na=fmtp:97 sprop-sps=AA==',
      ),
    ),
  ],
  headers: headerTexts,
  rtcp: [rtcp],
  rtp: [
    ...h264Packets,
    buildRtp(
      {
        payloadType: 96,
        marker: true,
        sequence: 9,
        timestamp: 1,
        ssrc: 1,
        csrc: [1, 2],
        extension: { profile: 0xffd8, data: filler.subarray(0, 40) },
        padding: 4,
      },
      filler,
    ),
  ],
  h264: h264Packets,
  h265: h265Packets,
  mjpeg: mjpegPackets,
  aac: aacPackets,
  latm: latmPackets,
  opus: opusPackets,
  pcm: pcmPackets,
  sets: [
    bytes(0x11, 0x90),
    bytes(0x2b, 0x8a, 0x08, 0),
    bytes(0x40, 0, 0x23, 0x20, 0x3f, 0xc0),
    ...h264Sets,
    ...h265Sets,
    bytes(0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 1, 0, 1, 0, 1, 1, 0x11, 0),
  ],
  reorder: h264Packets,
};
