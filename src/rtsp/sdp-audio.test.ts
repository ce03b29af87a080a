import { describe, expect, it } from 'vitest';
import { parseSdp } from './sdp.ts';
import { chooseAudio } from './sdp-audio.ts';

function choose(...lines: string[]) {
  return chooseAudio(
    parseSdp(['v=0', 'm=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', ...lines].join('\r\n')),
  );
}

function track(...lines: string[]) {
  const choice = choose(...lines);
  if (choice.kind !== 'track') throw new Error(`no track but ${JSON.stringify(choice)}`);
  return choice.track;
}

describe('the sound in an SDP', () => {
  it('is AAC in access units, as most cameras write it', () => {
    const aac = track(
      'm=audio 0 RTP/AVP 104',
      'a=rtpmap:104 mpeg4-generic/16000/1',
      'a=fmtp:104 profile-level-id=15; streamtype=5; mode=AAC-hbr; config=1408;SizeLength=13; IndexLength=3;IndexDeltaLength=3;',
      'a=control:trackID=2',
    );
    expect(aac).toMatchObject({
      payloadType: 104,
      clockRate: 16_000,
      control: 'trackID=2',
      audio: { codec: 'aac', sampleRate: 16_000, channels: 1, codecString: 'mp4a.40.2' },
      payload: {
        kind: 'mpeg4-generic',
        sizeLength: 13,
        indexLength: 3,
        indexDeltaLength: 3,
        unitDuration: 64_000,
      },
    });
    expect(Buffer.from(aac.audio.config).toString('hex')).toBe('1408');
  });

  it('without a config is what the rtpmap says', () => {
    const { audio } = track(
      'm=audio 0 RTP/AVP 97',
      'a=rtpmap:97 MPEG4-GENERIC/44100/2',
      'a=fmtp:97 mode=AAC-hbr',
    );
    expect(audio).toMatchObject({ sampleRate: 44_100, channels: 2 });
    expect(Buffer.from(audio.config).toString('hex')).toBe('1210');
  });

  it('is AAC in LATM', () => {
    const { audio, payload } = track(
      'm=audio 0 RTP/AVP 98',
      'a=rtpmap:98 MP4A-LATM/48000/2',
      'a=fmtp:98 cpresent=0; object=2; config=400023203fc0',
    );
    expect(audio).toMatchObject({ codec: 'aac', sampleRate: 48_000, channels: 2 });
    expect(Buffer.from(audio.config).toString('hex')).toBe('1190');
    expect(payload).toMatchObject({ kind: 'latm', unitsPerElement: 1 });
  });

  it.each([
    ['PCMU without a map', ['m=audio 0 RTP/AVP 0'], { codec: 'pcmu', sampleRate: 8000, channels: 1 }],
    ['PCMA without a map', ['m=audio 0 RTP/AVP 8'], { codec: 'pcma', sampleRate: 8000, channels: 1 }],
    [
      'PCMA of 16 kHz',
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 pcma/16000'],
      { codec: 'pcma', sampleRate: 16_000 },
    ],
    ['L16 of a CD', ['m=audio 0 RTP/AVP 10'], { codec: 'l16', sampleRate: 44_100, channels: 2 }],
    [
      'L16',
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 L16/16000/1'],
      { codec: 'l16', sampleRate: 16_000, channels: 1 },
    ],
    ['Opus', ['m=audio 0 RTP/AVP 111', 'a=rtpmap:111 opus/48000/2'], { codec: 'opus', sampleRate: 48_000 }],
    [
      'what can be used among others',
      ['m=audio 0 RTP/AVP 2 101 8', 'a=rtpmap:2 G726-32/8000', 'a=rtpmap:101 telephone-event/8000'],
      { codec: 'pcma' },
    ],
    [
      'of the second track, when the first cannot be used',
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 G726-32/8000', 'm=audio 0 RTP/AVP 0'],
      { codec: 'pcmu' },
    ],
  ])('is %s', (_what, lines, expected) => {
    expect(track(...lines).audio).toMatchObject(expected);
  });

  it.each([
    ['G726-32', ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 G726-32/8000']],
    ['G722', ['m=audio 0 RTP/AVP 9']],
    ['MPA', ['m=audio 0 RTP/AVP 14']],
    ['payload type 77', ['m=audio 0 RTP/AVP 77']],
    ['MPEG4-GENERIC', ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 mpeg4-generic/8000', 'a=fmtp:97 mode=CELP-cbr']],
    [
      'MPEG4-GENERIC',
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 mpeg4-generic/16000', 'a=fmtp:97 mode=AAC-hbr;config=4408'],
    ],
    ['MP4A-LATM', ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 MP4A-LATM/48000', 'a=fmtp:97 cpresent=1']],
    ['L16', ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 L16/16000/99']],
    ['PCMU', ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 PCMU/99999999']],
  ])('of %s cannot be used, and its name is told', (codec, lines) => {
    expect(choose(...lines)).toEqual({ kind: 'unsupported', codec });
  });

  it('is none where there is none, or only the keys of a telephone', () => {
    expect(choose()).toEqual({ kind: 'none' });
    expect(choose('m=audio 0 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000')).toEqual({ kind: 'none' });
  });
});
