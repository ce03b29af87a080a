// Clips: what the encoder was asked for is what is in them, colours included.

import { describe, expect, test } from 'vitest';
import { splitNals } from './clip.ts';
import { renderClip, sceneClip } from './clips.ts';
import { type EncodeOptions, encodeFrames } from './encode.ts';
import { demoScene, emptyScene, peopleStanding, ScenePainter } from './scene.ts';
import { readStrip } from './strip.ts';
import { decodeUnits } from './test-support.ts';

const small = { width: 320, height: 240, fps: 10 } as const;

async function indexesSeen(options: EncodeOptions): Promise<(number | null)[]> {
  const clip = await renderClip(emptyScene(4), options);
  const pictures = await decodeUnits(
    options.codec,
    clip.accessUnits.map(({ data }) => data),
  );
  return pictures.map(({ luma, width, height }) => readStrip(luma, width, height));
}

describe('an encoded clip', () => {
  const all = Array.from({ length: 40 }, (_, i) => i);

  test.each(['h264', 'h265', 'mjpeg'] as const)('%s shows every frame with its index', async (codec) => {
    expect(await indexesSeen({ codec, ...small })).toEqual(all);
  });

  test('with B-frames the units are in decoding order and know their place', async () => {
    const clip = await renderClip(emptyScene(4), { codec: 'h264', ...small, bFrames: 2 });
    const order = clip.accessUnits.map(({ index }) => index);
    expect(order).not.toEqual(all);
    expect([...order].sort((a, b) => a - b)).toEqual(all);
    const pictures = await decodeUnits(
      'h264',
      clip.accessUnits.map(({ data }) => data),
    );
    expect(pictures.map(({ luma }) => readStrip(luma, 320, 240))).toEqual(all);
  });

  test.each(['h264', 'h265'] as const)(
    '%s keyframes come when asked and carry parameter sets',
    async (codec) => {
      const clip = await renderClip(emptyScene(4), { codec, ...small, gopSeconds: 1 });
      const keyframes = clip.accessUnits.filter(({ keyframe }) => keyframe);
      expect(keyframes.map(({ index }) => index)).toEqual([0, 10, 20, 30]);
      expect(clip.parameterSets).toHaveLength(codec === 'h264' ? 2 : 3);
      for (const { data } of keyframes)
        expect(splitNals(data).slice(0, clip.parameterSets.length)).toEqual(clip.parameterSets);
    },
  );

  test.each(['h264', 'mjpeg'] as const)('%s keeps the colours of a test card', async (codec) => {
    const colours = [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [255, 255, 255],
      [0, 0, 0],
      [200, 120, 40],
    ];
    const card = new Uint8Array(320 * 240 * 3);
    for (let i = 0; i < card.length; i++) card[i] = colours[Math.floor((((i / 3) | 0) % 320) / 54)]![i % 3]!;
    const clip = await encodeFrames([card], { codec, ...small, quality: codec === 'h264' ? 12 : 2 });
    const [picture] = await decodeUnits(codec, [clip.accessUnits[0]!.data]);
    const { luma, chroma } = picture!;
    for (const [i, wanted] of colours.entries()) {
      const x = i * 54 + 26;
      const [y, u, v] = [
        luma[120 * 320 + x]!,
        chroma[0][60 * 160 + (x >> 1)]!,
        chroma[1][60 * 160 + (x >> 1)]!,
      ];
      // BT.601, the inverse written out here; limited range for video, full for JPEG.
      const level = codec === 'h264' ? ((y - 16) * 255) / 219 : y;
      const gain = codec === 'h264' ? 255 / 224 : 1;
      const red = level + 1.402 * gain * (v - 128);
      const blue = level + 1.772 * gain * (u - 128);
      const green = (level - 0.299 * red - 0.114 * blue) / 0.587;
      for (const [k, value] of [red, green, blue].entries())
        expect(Math.abs(value - wanted[k]!)).toBeLessThan(8);
    }
  });

  test('a clip comes back from the cache as it was made', async () => {
    const options = { codec: 'h264', ...small, scene: emptyScene(2) } as const;
    const { scene, ...encode } = options;
    expect(await sceneClip(options)).toEqual(await renderClip(scene, encode));
  });
});

describe('the demo scene', () => {
  test('people come, several at a time, and leave the room empty for seconds', () => {
    const scene = demoScene();
    const counts = Array.from({ length: 300 }, (_, i) => peopleStanding(scene, i / 10).length);
    expect(Math.max(...counts)).toBe(2);
    const empty = Array.from({ length: 300 }, (_, i) =>
      scene.visits.every((v) => i / 10 < v.from || i / 10 > v.to),
    );
    expect(empty.join().includes(Array(30).fill(true).join())).toBe(true);
  });

  test('the picture changes where a person stands, and only there', async () => {
    const painter = await ScenePainter.prepare(demoScene(), 320, 240);
    const [without, alone] = [painter.frame(7, 0), painter.frame(7, 4)];
    const differs = (x: number, y: number) =>
      [0, 1, 2].some((k) => without[(y * 320 + x) * 3 + k] !== alone[(y * 320 + x) * 3 + k]);
    expect(differs(Math.round(0.4 * 320), Math.round(0.4 * 240))).toBe(true);
    expect(differs(310, 120)).toBe(false);
    expect(readStrip(alone, 320, 240)).toBe(7);
  });
});
