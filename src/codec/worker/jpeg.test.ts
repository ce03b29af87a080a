import { expect, test } from 'vitest';
import { Decoder } from './decoder.ts';
import { type Jpeg, JpegMaker, quantiser } from './jpeg.ts';
import { type ClipOptions, decodeJpeg, encodeClip, psnr, type RgbImage, testCard } from './test-clips.ts';

const wanted = { width: 640, height: 480, fps: 15, quality: 80 };

/** The last picture of a clip, through decoder, scaler and JPEG encoder. */
async function lastPicture(clip: ClipOptions, options = wanted): Promise<Jpeg> {
  const decoder = await Decoder.open(clip.codec);
  const maker = new JpegMaker(options);
  let last: Jpeg | undefined;
  for (const unit of encodeClip(clip)) {
    await decoder.decode(unit.data, BigInt(unit.timestamp), async (frame) => {
      last = await maker.make(frame);
    });
  }
  decoder.free();
  maker.free();
  return last!;
}

/** Each `factor`×`factor` pixels become their mean. */
function shrink(image: RgbImage, factor: number): RgbImage {
  const width = image.width / factor;
  const height = image.height / factor;
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at += 1) {
    const x = Math.floor(at / 3) % width;
    const y = Math.floor(at / 3 / width);
    let sum = 0;
    for (let i = 0; i < factor * factor; i += 1) {
      const row = y * factor + Math.floor(i / factor);
      sum += image.data[(row * image.width + x * factor + (i % factor)) * 3 + (at % 3)]!;
    }
    data[at] = Math.round(sum / factor ** 2);
  }
  return { width, height, data };
}

const frames = 5;
const clips: ClipOptions[] = [
  { codec: 'h264', width: 640, height: 480, frames, colours: 'bt601' },
  { codec: 'h264', width: 640, height: 480, frames, colours: 'bt709' },
  { codec: 'h264', width: 1280, height: 720, frames, colours: 'untagged709' },
  { codec: 'h265', width: 640, height: 480, frames, colours: 'bt601' },
  { codec: 'h265', width: 1280, height: 960, frames, colours: 'bt709' },
  { codec: 'mjpeg', width: 640, height: 480, frames, colours: 'bt601' },
];

test.each(clips)('the colours of a $codec test card, $width×$height $colours, are right', async (clip) => {
  for (const quality of [80, 90]) {
    const jpeg = await lastPicture(clip, { ...wanted, quality });
    const card = testCard(clip.width, clip.height, frames - 1);
    expect(psnr(decodeJpeg(jpeg.data), shrink(card, clip.width / 640))).toBeGreaterThan(38);
  }
});

test('the picture says its own size, and pixels that are not square are made square', async () => {
  const clip: ClipOptions = { codec: 'h264', width: 720, height: 576, frames: 1, pixelAspect: [64, 45] };
  const jpeg = await lastPicture(clip);
  expect(jpeg).toMatchObject({ width: 640, height: 360 });
  expect(decodeJpeg(jpeg.data)).toMatchObject({ width: 640, height: 360 });
});

test('quality runs as in libjpeg: better is larger, and the ends are inside what FFmpeg takes', async () => {
  expect([1, 50, 80, 90, 100].map(quantiser)).toEqual([31, 16, 6, 3, 1]);
  const clip: ClipOptions = { codec: 'h264', width: 320, height: 240, frames: 1 };
  const sizes: number[] = [];
  for (const quality of [1, 50, 80, 100]) {
    sizes.push((await lastPicture(clip, { ...wanted, quality })).data.length);
  }
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  expect(new Set(sizes).size).toBe(sizes.length);
});
