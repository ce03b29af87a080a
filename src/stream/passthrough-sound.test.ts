import { describe, expect, it } from 'vitest';
import { aacOf, buildAacConfig } from '../media/aac.ts';
import type { AudioParameters, AudioUnit } from '../media/audio.ts';
import type { AudioListener, AudioSource } from './audio-source.ts';
import type { PassthroughFormat, SoundPacket } from './live-camera.ts';
import { Passthrough } from './passthrough.ts';
import { Stream } from './stream.ts';

const aac: AudioParameters = {
  codec: 'aac',
  sampleRate: 48_000,
  channels: 1,
  config: buildAacConfig(48_000, 1),
  codecString: 'mp4a.40.2',
};
const pcmu: AudioParameters = {
  ...aac,
  codec: 'pcmu',
  sampleRate: 8000,
  config: new Uint8Array(),
  codecString: 'ulaw',
};
const unitUs = 1_024_000_000 / 48_000;

/** A camera that sends `sound`, and what becomes of it in a source that does as it is told. */
function camera(sound: AudioParameters) {
  const stream = new Stream();
  const given = sound.codec === 'aac' ? sound : aacOf(sound);
  let listener: AudioListener | null = null;
  const source: AudioSource = {
    get audio() {
      return stream.audio && given;
    },
    unsupported: null,
    figures: { listeners: 0, units: 0, dropped: 0, errors: 0, transcoding: false },
    subscribe(next) {
      listener = next;
      if (stream.audio) next.onAudio(given);
      return () => {
        listener = null;
      };
    },
  };
  const packets = new Passthrough(stream, source);
  const unit = (number: number, at = number * unitUs): AudioUnit => ({
    audio: given,
    data: Uint8Array.of(number),
    timestamp: at,
    duration: unitUs,
    receivedAt: at / 1000,
  });
  stream.setAudio({ kind: 'audio', audio: sound });
  return {
    stream,
    given,
    heard: () => listener !== null,
    /** The camera sent a unit at this time, ms. */
    send: (ms: number) => stream.publishAudio({ ...unit(0, ms * 1000), audio: sound }),
    /** Listeners get this unit. */
    give: (number: number, at?: number) => listener?.onAudioUnit(unit(number, at)),
    end() {
      stream.setAudio({ kind: 'none' });
      listener?.onAudio(null);
    },
    listen(format: PassthroughFormat) {
      const told: (AudioParameters | null)[] = [];
      const got: SoundPacket[] = [];
      const listening = packets.subscribeSound(format, {
        onSound: (audio) => told.push(audio),
        onPacket: (packet) => got.push(packet),
      });
      return { ...listening, told, got };
    },
  };
}

describe('sound for viewers', () => {
  it('is packed once for all of a format, and only while there are any', () => {
    const { listen, give, heard } = camera(aac);
    const [first, second] = [listen('annexb'), listen('annexb')];
    give(7);
    expect(first.got[0]).toBe(second.got[0]);
    const bytes = Buffer.from(first.got[0]!.data);
    expect([bytes[0], bytes[1], bytes.readUInt16BE(2), bytes.readUInt32BE(4)]).toEqual([2, 0, 0, 0]);
    expect(bytes.readBigUInt64BE(8)).toBe(BigInt(Math.floor(7 * unitUs)));
    expect([...bytes.subarray(16)]).toEqual([7]);
    first.leave();
    first.leave();
    give(8);
    expect(first.got).toHaveLength(1);
    expect(Buffer.from(second.got[1]!.data).readUInt32BE(4)).toBe(1);
    second.leave();
    expect(heard()).toBe(false);
  });

  it('shares fragments of MP4 up to 100 ms, and begins another one behind a hole', () => {
    const { listen, give } = camera(aac);
    const { got } = listen('mp4');
    for (let number = 0; number < 7; number++) give(number);
    give(20);
    for (let number = 21; number < 24; number++) give(number);
    const fragments = got.map(({ data }) => Buffer.from(data));
    expect(fragments.map((bytes) => [...bytes.subarray(bytes.indexOf('mdat') + 4)])).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6],
      [20, 21, 22, 23],
    ]);
    const times = fragments.map((bytes) => Number(bytes.readBigUInt64BE(bytes.indexOf('tfdt') + 8)));
    expect(times).toEqual([0, 4 * 1024, 20 * 1024]);
    expect(fragments.map((bytes) => bytes.readUInt32BE(bytes.indexOf('mfhd') + 8))).toEqual([1, 2, 3]);
  });

  it('of the camera itself is promised at once, that of a transcoder when it comes', () => {
    const passed = camera(aac);
    expect(passed.listen('mp4').sound).toBe(aac);
    const made = camera(pcmu);
    const first = made.listen('annexb');
    expect(first.sound).toBeNull();
    made.give(0);
    expect(first.told).toEqual([made.given]);
    expect(made.listen('annexb').sound).toBe(made.given);
  });

  it('is promised no more when the camera ends it, or nothing comes of it, until it comes again', () => {
    const { listen, send, give, end, given } = camera(pcmu);
    const { told } = listen('mp4');
    give(0);
    for (let ms = 0; ms <= 1_000; ms += 40) send(ms);
    expect(told).toEqual([given]);
    send(1_040);
    expect(told).toEqual([given, null]);
    give(50);
    expect(told).toEqual([given, null, given]);
    end();
    expect(told).toEqual([given, null, given, null]);
  });
});
