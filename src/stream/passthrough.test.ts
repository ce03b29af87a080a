import { describe, expect, it } from 'vitest';
import type { AccessUnit } from '../media/access-unit.ts';
import { describeH264 } from '../media/h264.ts';
import { joinAnnexB } from '../media/nal.ts';
import type { AudioSource } from './audio-source.ts';
import type { Packet, PassthroughFormat } from './live-camera.ts';
import { Passthrough } from './passthrough.ts';
import { Stream } from './stream.ts';

const sps = Uint8Array.from(Buffer.from('Z0LAFtkAoD2wFqDAwNSgAAADACAAAAMD0eLFyQ==', 'base64'));
const largeSps = Uint8Array.from(Buffer.from('Z2QAKKzZQHgCJ+XAWoCAgKAAAAMAIAAABlHjBjLA', 'base64'));
const pps = Uint8Array.from(Buffer.from('aMuMsg==', 'base64'));
const otherPps = Uint8Array.from(Buffer.from('aMuMtg==', 'base64'));

const video = describeH264([sps, pps])!;
const otherSets = describeH264([sps, otherPps])!;
const large = describeH264([largeSps, pps])!;

const silence: AudioSource = {
  audio: null,
  unsupported: null,
  figures: { listeners: 0, units: 0, dropped: 0, errors: 0, transcoding: false },
  subscribe: () => () => undefined,
};

/** A stream of pictures, 40 ms apart, with who watches it. */
function camera() {
  const stream = new Stream();
  const packets = new Passthrough(stream, silence);
  let count = 0;
  stream.setStatus('online', null);
  return {
    stream,
    packets,
    picture(keyframe = false): AccessUnit {
      const data = joinAnnexB([Uint8Array.of(keyframe ? 0x65 : 0x41, 0x80 + count)]);
      const timestamp = 40_000 * count;
      const unit: AccessUnit = {
        codec: 'h264',
        data,
        keyframe,
        timestamp,
        receivedAt: count * 40,
        lossBefore: false,
      };
      count += 1;
      stream.publish(unit);
      return unit;
    },
    watch(format: PassthroughFormat) {
      const got: Packet[] = [];
      const { recent, leave } = packets.subscribe(format, (packet) => got.push(packet));
      return { recent, got, leave };
    },
  };
}

const times = (packets: readonly Packet[]) => packets.map(({ timestamp }) => timestamp / 40_000);

describe('passthrough', () => {
  it('gives who joins the frames since the keyframe, and everybody the same bytes', () => {
    const { stream, picture, watch } = camera();
    stream.setVideo(video);
    for (const keyframe of [true, false, true, false, false]) picture(keyframe);
    const first = watch('annexb');
    expect(times(first.recent)).toEqual([2, 3, 4]);
    expect(first.recent[0]!.keyframe).toBe(true);
    picture();
    const second = watch('annexb');
    expect(times(second.recent)).toEqual([2, 3, 4, 5]);
    second.recent.slice(0, 3).forEach((packet, i) => {
      expect(packet).toBe(first.recent[i]);
    });
    picture(true);
    expect(second.got[0]).toBe(first.got[1]);
    expect(times(watch('annexb').recent)).toEqual([6]);
    // Numbered through, whenever somebody came.
    const numbers = [...first.recent, ...first.got].map(({ data }) => Buffer.from(data).readUInt32BE(4));
    expect(numbers).toEqual([2, 3, 4, 5, 6]);
  });

  it('waits for a keyframe where there is none, and gives nothing old after an interruption', () => {
    const { stream, picture, watch } = camera();
    stream.setVideo(video);
    const early = watch('mp4');
    picture(false);
    expect(early.got).toEqual([]);
    picture(true);
    picture();
    stream.setStatus('reconnecting', null);
    expect(watch('mp4').recent).toEqual([]);
    stream.setStatus('online', null);
    picture(true);
    expect(times(watch('mp4').recent)).toEqual([3]);
    expect(times(early.got)).toEqual([1, 2, 3]);
  });

  it('does nothing while nobody watches', () => {
    const { stream, picture, watch } = camera();
    stream.setVideo(video);
    const viewers = [watch('annexb'), watch('annexb'), watch('mp4')];
    expect(stream.readerCount).toBe(2);
    for (const { leave } of viewers) leave();
    for (const { leave } of viewers) leave();
    expect(stream.readerCount).toBe(0);
    picture(true);
    expect(times(watch('annexb').recent)).toEqual([0]);
  });

  it('describes other parameter sets anew in MP4, at the next keyframe, and nowhere else', () => {
    const { stream, picture, watch } = camera();
    stream.setVideo(video);
    const mp4 = watch('mp4');
    const annexb = watch('annexb');
    picture(true);
    stream.setVideo(otherSets);
    picture();
    picture(true);
    const [before, between, after] = mp4.got.map(({ setup }) => setup);
    expect(between).toBe(before);
    expect(after).not.toBe(before);
    const holds = (init: Uint8Array | null, set: Uint8Array) => Buffer.from(init!).includes(Buffer.from(set));
    expect([holds(before!.init, pps), holds(before!.init, otherPps)]).toEqual([true, false]);
    expect([holds(after!.init, pps), holds(after!.init, otherPps)]).toEqual([false, true]);
    expect(new Set(annexb.got.map(({ setup }) => setup)).size).toBe(1);
  });

  it('holds frames of a new size back until its keyframe', () => {
    const { stream, picture, watch } = camera();
    stream.setVideo(video);
    const viewers = [watch('mp4'), watch('annexb')];
    picture(true);
    stream.setVideo(large);
    picture();
    picture(true);
    for (const { got } of viewers) {
      expect(times(got)).toEqual([0, 2]);
      expect(got.map(({ setup }) => [setup.width, setup.codec])).toEqual([
        [640, 'avc1.42C016'],
        [1920, 'avc1.640028'],
      ]);
    }
  });

  it('has nothing of a camera that sends JPEG', () => {
    const { stream, picture, watch } = camera();
    stream.setVideo({ ...video, codec: 'mjpeg', codecString: 'mjpeg', parameterSets: [] });
    const viewers = [watch('mp4'), watch('annexb')];
    picture(true);
    for (const { recent, got } of viewers) expect([...recent, ...got]).toEqual([]);
  });
});
