import { describe, expect, it } from 'vitest';
import { baseUrl, chooseVideo, controlUrl, parseSdp } from './sdp.ts';

function choose(...lines: string[]) {
  return chooseVideo(parseSdp(lines.join('\r\n')));
}

describe('the SDP of a camera', () => {
  it('is read with LF or CRLF, junk and audio first', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = [
        'v=0',
        'junk',
        'a=',
        'a=control:*',
        'm=audio 0 RTP/AVP 8',
        'a=control:track2',
        'm=video 0 RTP/AVP 96',
        'a=rtpmap:96 h264/90000',
        'a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAFtkAoD2w,aMuMsg==;',
        'a=framerate:12,5',
        'a=x-dimensions: 704, 576',
        'a=control:track1',
      ].join(end);
      const description = parseSdp(text);
      expect(description.control).toBe('*');
      const choice = chooseVideo(description);
      expect(choice).toMatchObject({
        kind: 'track',
        track: {
          codec: 'h264',
          payloadType: 96,
          control: 'track1',
          fps: 12.5,
          size: { width: 704, height: 576 },
        },
      });
      if (choice.kind === 'track')
        expect(choice.track.parameterSets.map((set) => set.length)).toEqual([9, 4]);
    }
  });

  it.each([
    [
      'a static payload type',
      ['m=video 0 RTP/AVP 26'],
      { codec: 'mjpeg', payloadType: 26, clockRate: 90_000 },
    ],
    ['HEVC by its other name', ['m=video 0 RTP/AVP 97', 'a=rtpmap:97 HEVC/90000'], { codec: 'h265' }],
    ['no rtpmap', ['m=video 0 RTP/AVP 96', 'a=fmtp:96 packetization-mode=1'], { codec: 'h264' }],
    [
      'broken parameter sets',
      ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/', 'a=fmtp:96 sprop-parameter-sets=%%%,,'],
      { clockRate: 90_000, parameterSets: [] },
    ],
    [
      'order numbers',
      ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H265/90000', 'a=fmtp:96 sprop-max-don-diff=2'],
      { donl: true },
    ],
    [
      'a second video',
      [
        'm=video 0 RTP/AVP 98',
        'a=rtpmap:98 VP8/90000',
        'm=video 0 RTP/AVP 99',
        'a=rtpmap:99 H264/90000',
        'a=control:b',
      ],
      { codec: 'h264', control: 'b' },
    ],
  ])('with %s is understood', (_what, lines, track) => {
    expect(choose(...lines)).toMatchObject({ kind: 'track', track });
  });

  it('says what cannot be shown', () => {
    expect(choose('m=video 0 RTP/AVP 98', 'a=rtpmap:98 VP8/90000')).toEqual({
      kind: 'unsupported',
      codec: 'VP8',
    });
    expect(choose('m=video 0 RTP/AVP 34')).toEqual({ kind: 'unsupported', codec: 'H263' });
    expect(choose('m=audio 0 RTP/AVP 0')).toEqual({ kind: 'none' });
    expect(choose('')).toEqual({ kind: 'none' });
    expect(choose('m=video')).toEqual({ kind: 'none' });
  });
});

describe('addresses in SDP', () => {
  it.each([
    ['rtsp://h/live/', 'track1', 'rtsp://h/live/track1'],
    ['rtsp://h/live', 'track1', 'rtsp://h/live/track1'],
    ['rtsp://h/live?a=1', '/track1', 'rtsp://h/live?a=1/track1'],
    ['rtsp://h/live', '*', 'rtsp://h/live'],
    ['rtsp://h/live', undefined, 'rtsp://h/live'],
    ['rtsp://h/live', 'rtsp://10.0.0.1/other/t', 'rtsp://10.0.0.1/other/t'],
    ['rtsp://h/live', 'a b\u{1f600}\ud800', 'rtsp://h/live/a%20b%F0%9F%98%80%EF%BF%BD'],
  ])('%s and %s make %s', (base, control, expected) => {
    expect(controlUrl(base, control)).toBe(expected);
  });

  it('are based on what the camera says, when that is an address', () => {
    expect(baseUrl('rtsp://a/b/', 'rtsp://c/', 'rtsp://d/')).toBe('rtsp://a/b/');
    expect(baseUrl('/b/', ' rtsp://c/ ', 'rtsp://d/')).toBe('rtsp://c/');
    expect(baseUrl('', undefined, 'rtsp://d/')).toBe('rtsp://d/');
  });
});
