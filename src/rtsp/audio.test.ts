import { afterEach, describe, expect, it } from 'vitest';
import type { AudioOffer, AudioUnit } from '../media/audio.ts';
import type { RtspRequest } from './message.ts';
import { buildBye } from './rtcp.ts';
import { buildRtp } from './rtp.ts';
import { type Answer, closeAll, connect, ScriptedCamera, Watcher } from './testing.ts';

afterEach(closeAll);

class Listener extends Watcher {
  readonly offers: AudioOffer[] = [];
  readonly sound: AudioUnit[] = [];
  onAudio(offer: AudioOffer): void {
    this.offers.push(offer);
  }
  onAudioUnit(unit: AudioUnit): void {
    this.sound.push(unit);
  }
}

const granted = {
  status: 200,
  headers: { Session: 'abc', Transport: 'RTP/AVP/TCP;unicast;interleaved=6-7' },
};

/** Answers the SETUP of the sound so; everything else as usual. */
function soundAnswered(answer: Answer | (() => Answer)) {
  return (request: RtspRequest) => {
    if (request.method !== 'SETUP' || !request.uri.endsWith('/track2')) return null;
    return typeof answer === 'function' ? answer() : answer;
  };
}

function speak(camera: ScriptedCamera, channel: number, sequence: number, ssrc = 8): void {
  const header = { payloadType: 0, marker: false, sequence, timestamp: sequence * 160, ssrc };
  camera.send(channel, buildRtp(header, new Uint8Array(160)));
}

describe('a camera with sound', () => {
  it('is set up for both in one session, and each comes on its own channels', async () => {
    const camera = await ScriptedCamera.start(soundAnswered(granted));
    const events = new Listener();
    const client = await connect(camera.url(), { events });
    expect(camera.requests).toEqual(['OPTIONS', 'DESCRIBE', 'SETUP', 'SETUP', 'PLAY']);
    const setup = camera.seen[3]!;
    expect(setup.headers.get('Session')).toBe('abc');
    expect(setup.headers.get('Transport')).toContain('interleaved=2-3');
    speak(camera, 6, 1);
    camera.sendFrame(1, 3000);
    speak(camera, 6, 2);
    speak(camera, 6, 3);
    camera.sendFrame(2, 6000, 0x41);
    await events.have(2);
    // What came before the first picture is in step with nothing.
    expect(events.sound).toHaveLength(2);
    expect(events.sound[1]!.timestamp - events.sound[0]!.timestamp).toBe(20_000);
    expect(events.offers).toMatchObject([
      { kind: 'audio', audio: { codec: 'pcmu', sampleRate: 8000, channels: 1 } },
    ]);
    expect(client.stats).toMatchObject({ packets: 2, audio: { packets: 3, units: 2 } });
    // A goodbye of the sound is none of the video.
    camera.send(7, buildBye(8));
    camera.sendFrame(3, 9000, 0x41);
    await events.have(3);
  });

  it('that nobody listens to is asked for its video only', async () => {
    const camera = await ScriptedCamera.start();
    await connect(camera.url());
    await connect(camera.url(), { events: new Listener(), audio: false });
    expect(camera.requests.filter((method) => method === 'SETUP')).toHaveLength(2);
  });

  it('in a codec that cannot be used is shown, and the name is told', async () => {
    const camera = await ScriptedCamera.start((request) => {
      if (request.method !== 'DESCRIBE') return null;
      const body =
        'm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\nm=audio 0 RTP/AVP 97\na=rtpmap:97 G726-32/8000';
      return { status: 200, body };
    });
    const events = new Listener();
    await connect(camera.url(), { events });
    expect(events.offers).toEqual([{ kind: 'unsupported', codec: 'G726-32' }]);
    expect(camera.requests.filter((method) => method === 'SETUP')).toHaveLength(1);
  });
});

describe('a camera whose sound fails', () => {
  it.each<[string, Answer]>([
    ['refuses it', { status: 461 }],
    ['wants another password for it', { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } }],
    ['breaks down at it', { status: 500 }],
    ['begins another session for it', { ...granted, headers: { ...granted.headers, Session: 'other' } }],
    ['names no session', { status: 200, headers: { Transport: 'RTP/AVP/TCP;interleaved=6-7' } }],
    [
      'gives it the channels of the video',
      { ...granted, headers: { ...granted.headers, Transport: 'RTP/AVP/TCP;interleaved=4-5' } },
    ],
    [
      'gives it UDP',
      { ...granted, headers: { ...granted.headers, Transport: 'RTP/AVP;unicast;client_port=5000-5001' } },
    ],
    ['does not answer', 'silence'],
  ])('and %s plays its video', async (_what, answer) => {
    const camera = await ScriptedCamera.start(soundAnswered(answer));
    const events = new Listener();
    const client = await connect(camera.url('user:topsecret@'), { events });
    camera.sendFrame(1, 3000);
    // It may send what was refused, on whatever channel.
    for (let i = 0; i < 20; i++) for (const channel of [2, 4]) speak(camera, channel, i);
    camera.sendFrame(2, 6000, 0x41);
    await events.have(2);
    expect(camera.connections).toBe(1);
    expect(events.sound).toEqual([]);
    expect(events.offers).toEqual([{ kind: 'none' }]);
    expect(events.units.map((unit) => unit.lossBefore)).toEqual([false, false]);
    expect(client.stats).toMatchObject({ packets: 2, lostPackets: 0, audio: null });
  });

  it.each<[string, 'SETUP' | 'PLAY', Answer]>([
    ['hangs up when asked for it', 'SETUP', 'close'],
    ['hangs up when both are to play', 'PLAY', 'close'],
    ['refuses to play both', 'PLAY', { status: 455 }],
    ['never answers when both are to play', 'PLAY', 'silence'],
  ])('and %s is asked again for the video alone', async (_what, method, answer) => {
    let failed = false;
    let both = false;
    const camera = await ScriptedCamera.start((request) => {
      const sound = request.method === 'SETUP' && request.uri.endsWith('/track2');
      both ||= sound;
      if (!failed && both && request.method === method && (method === 'PLAY' || sound)) {
        failed = true;
        return answer;
      }
      return sound ? granted : null;
    });
    const events = new Listener();
    await connect(camera.url(), { events });
    expect(camera.connections).toBe(2);
    camera.sendFrame(1, 3000);
    await events.have(1);
    expect(camera.seen.filter(({ uri }) => uri.endsWith('/track2'))).toHaveLength(1);
  });

  it('and sends garbage for it loses nothing of its video', async () => {
    const camera = await ScriptedCamera.start(soundAnswered(granted));
    const events = new Listener();
    const client = await connect(camera.url(), { events });
    camera.sendFrame(1, 3000);
    camera.send(6, new Uint8Array());
    camera.send(6, Uint8Array.of(1, 2, 3));
    camera.send(7, new Uint8Array(40).fill(0x80));
    camera.send(
      6,
      buildRtp({ payloadType: 0, marker: true, sequence: 5, timestamp: 1, ssrc: 9 }, new Uint8Array()),
    );
    camera.sendFrame(2, 6000, 0x41);
    await events.have(2);
    expect(events.sound).toEqual([]);
    expect(client.stats).toMatchObject({ droppedUnits: 0, audio: { units: 0, droppedUnits: 1 } });
  });
});
