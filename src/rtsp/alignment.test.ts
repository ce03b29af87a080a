import { describe, expect, it } from 'vitest';
import { AudioAlignment } from './alignment.ts';
import { RtpClock } from './timestamps.ts';

const wall = 1_700_000_000_000;

/** A camera whose clocks start anywhere; time in ms since its start, packets arrive after `delay`. */
function camera({ soundDelay = 0, audioRate = 8000, drift = 1 } = {}) {
  const video = new RtpClock(90_000);
  const audio = new RtpClock(audioRate);
  const alignment = new AudioAlignment(video, audio);
  const audioTicks = (ms: number) => (777 + Math.round((ms * drift * audioRate) / 1000)) >>> 0;
  return {
    see: (ms: number) => video.toMicroseconds((4_294_900_000 + ms * 90) >>> 0, ms),
    hear: (ms: number) =>
      alignment.map(audio.toMicroseconds(audioTicks(ms), ms + soundDelay), ms + soundDelay),
    reportVideo: (ms: number, off = 0) =>
      video.senderReport(wall + ms + off, (4_294_900_000 + ms * 90) >>> 0),
    reportAudio: (ms: number, off = 0) => audio.senderReport(wall + ms + off, audioTicks(ms)),
  };
}

describe('sound on the clock of the video', () => {
  it('is nowhere before the first picture', () => {
    const { hear, see } = camera();
    expect(hear(0)).toBeNull();
    see(10);
    expect(hear(20)).toBe(10_000);
  });

  it('lies where it arrives until both have reported, then where it was recorded', () => {
    const { see, hear, reportAudio, reportVideo } = camera({ soundDelay: 300 });
    see(0);
    see(300);
    expect(hear(0)).toBe(300_000);
    reportAudio(10);
    expect(hear(20)).toBe(320_000);
    reportVideo(40);
    expect(Math.abs(hear(60)! - 60_000)).toBeLessThan(130);
  });

  it('stays where it is for reports that differ by a few ms', () => {
    const { see, hear, reportAudio, reportVideo } = camera();
    see(0);
    reportVideo(0);
    hear(0);
    reportAudio(0);
    const first = hear(20)!;
    reportAudio(40, 12);
    expect(hear(40)! - first).toBe(20_000);
    reportAudio(60, 80);
    expect(hear(60)! - first).toBe(120_000);
  });

  it('lies where it arrives when the reports are those of two worlds', () => {
    const { see, hear, reportAudio, reportVideo } = camera();
    see(0);
    reportVideo(0);
    hear(0);
    reportAudio(0, 86_400_000);
    expect(hear(20)).toBe(20_000);
  });

  it('follows a camera whose clocks run apart and which never reports', () => {
    const { see, hear } = camera({ drift: 1.001 });
    let worst = 0;
    for (let ms = 0; ms < 600_000; ms += 20) {
      see(ms);
      worst = Math.max(worst, Math.abs(hear(ms)! - ms * 1000));
    }
    // Ten minutes at 1000 ppm are 600 ms.
    expect(worst).toBeLessThan(150_000);
  });

  it('follows the video when the camera’s clock jumps', () => {
    const video = new RtpClock(90_000);
    const audio = new RtpClock(8000);
    const alignment = new AudioAlignment(video, audio);
    video.toMicroseconds(0, 0);
    expect(alignment.map(audio.toMicroseconds(0, 0), 0)).toBe(0);
    video.toMicroseconds(90_000 * 3600, 40);
    expect(alignment.map(audio.toMicroseconds(320, 40), 40)).toBe(3_600_000_000);
  });
});
