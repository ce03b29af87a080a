// The people of the made picture: who is cut out of which photograph, and the cutting.
// Photographs come from the face-api package (dev dependency); nothing here knows when or where anyone appears.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { AV_CODEC_ID_MJPEG, AV_LOG_ERROR, AV_PIX_FMT_RGB24, SWS_AREA } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Log, Packet, SoftwareScaleContext } from 'node-av/lib';

/** Width to which every photograph is scaled before the figures below apply. */
const referenceWidth = 960;

interface Person {
  readonly photo: string;
  /** Head and shoulders, clockwise, in pixels of the photograph at `referenceWidth`. */
  readonly outline: readonly (readonly [number, number])[];
  /** The face alone, same pixels: x, y, width, height. */
  readonly face: readonly [number, number, number, number];
}

// One clear frontal face each; the outlines keep the neighbours in the photographs out.
// biome-ignore format: a table of points
const people: readonly Person[] = [
  {
    photo: 'sample6.jpg',
    face: [125, 240, 112, 140],
    outline: [
      [138, 668], [114, 610], [90, 550], [78, 490], [84, 445], [74, 420], [86, 380], [84, 320], [84, 270], [96, 225],
      [125, 195], [160, 187], [200, 196], [229, 222], [247, 262], [259, 310], [275, 362], [300, 410],
      [318, 455], [327, 505], [326, 550], [322, 610], [336, 668],
    ],
  },
  {
    photo: 'sample6.jpg',
    face: [333, 175, 92, 130],
    outline: [
      [326, 600], [325, 540], [327, 470], [305, 440], [302, 400], [325, 370], [341, 330], [345, 300], [334, 255],
      [331, 200], [340, 150], [360, 120], [390, 107], [425, 112], [452, 136], [468, 180], [474, 240], [484, 320],
      [508, 375], [517, 440], [506, 520], [494, 600],
    ],
  },
  {
    photo: 'sample3.jpg',
    face: [540, 115, 112, 140],
    outline: [
      [425, 640], [458, 590], [468, 520], [469, 450], [459, 330], [478, 275], [520, 250], [552, 245], [549, 215],
      [538, 180], [545, 125], [560, 92], [590, 73], [625, 70], [655, 82], [673, 110], [676, 160], [664, 220],
      [648, 250], [664, 290], [678, 350], [692, 420], [708, 500], [722, 570], [716, 640],
    ],
  },
  {
    photo: 'sample6.jpg',
    face: [745, 135, 105, 150],
    outline: [
      [716, 592], [719, 540], [721, 480], [722, 400], [742, 345], [727, 305], [724, 250], [738, 190], [752, 130], [776, 92],
      [812, 79], [850, 90], [880, 122], [890, 170], [893, 250], [902, 330], [893, 375], [882, 430], [862, 470],
      [838, 515], [812, 560], [800, 592],
    ],
  },
  {
    photo: 'sample3.jpg',
    face: [752, 145, 92, 140],
    outline: [
      [722, 600], [710, 500], [694, 420], [680, 360], [674, 310], [686, 250], [704, 190], [722, 150], [750, 118],
      [785, 109], [820, 122], [840, 158], [846, 210], [838, 255], [822, 296], [842, 335], [872, 375], [886, 420],
      [872, 480], [884, 540], [900, 600],
    ],
  },
];

/** How many different people there are; `person` in a visit counts from 0. */
export const peopleCount = people.length;

/** A cut-out figure, ready to be laid over a picture. */
export interface Sprite {
  readonly width: number;
  readonly height: number;
  /** rows × columns × 3, RGB8. */
  readonly rgb: Uint8Array;
  /** rows × columns, 0 transparent – 255 opaque. */
  readonly alpha: Uint8Array;
  /** The face in sprite pixels: x, y, width, height. */
  readonly face: readonly [number, number, number, number];
}

interface Photo {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/**
 * Cuts a person out of the photograph.
 * @param person index from 0, taken modulo `peopleCount`.
 * @param faceHeight wanted height of the face in px.
 */
export async function cutOut(person: number, faceHeight: number): Promise<Sprite> {
  const { photo: name, outline, face } = people[person % people.length]!;
  const scale = faceHeight / face[3];
  const photo = await decodePhoto(name, Math.round(referenceWidth * scale));
  const curve = smooth(outline.map(([x, y]) => [x * scale, y * scale] as const));
  const left = Math.max(0, Math.floor(Math.min(...curve.map(([x]) => x))));
  const top = Math.max(0, Math.floor(Math.min(...curve.map(([, y]) => y))));
  const width = Math.min(photo.width, Math.ceil(Math.max(...curve.map(([x]) => x)))) - left;
  // The cut through the body is below the visible picture: straight, not smoothed.
  const height = Math.min(photo.height, Math.floor(outline[0]![1] * scale)) - top;
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((y + top) * photo.width + left) * 3;
    rgb.set(photo.rgb.subarray(from, from + width * 3), y * width * 3);
  }
  return {
    width,
    height,
    rgb,
    alpha: cover(curve, left, top, width, height, Math.max(1.2, 4 * scale)),
    face: [face[0] * scale - left, face[1] * scale - top, face[2] * scale, face[3] * scale],
  };
}

/** Decodes and scales a photograph to `width` columns, RGB8. */
async function decodePhoto(name: string, width: number): Promise<Photo> {
  const folder = dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'));
  const file = await readFile(join(folder, 'demo', name));
  using context = new CodecContext();
  using packet = new Packet();
  using frame = new Frame();
  context.allocContext3(Codec.findDecoder(AV_CODEC_ID_MJPEG));
  FFmpegError.throwIfError(
    await context.open2(Codec.findDecoder(AV_CODEC_ID_MJPEG), null),
    'open JPEG decoder',
  );
  packet.alloc();
  packet.data = file;
  frame.alloc();
  FFmpegError.throwIfError(await context.sendPacket(packet), `decode ${name}`);
  FFmpegError.throwIfError(await context.sendPacket(null), `decode ${name}`);
  FFmpegError.throwIfError(await context.receiveFrame(frame), `decode ${name}`);
  const height = Math.round((frame.height * width) / frame.width);
  // The decoder's full-range format is the right one here, but the scaler warns of its name.
  Log.setLevel(AV_LOG_ERROR);
  using scaler = new SoftwareScaleContext();
  scaler.getContext(
    frame.width,
    frame.height,
    frame.format as never,
    width,
    height,
    AV_PIX_FMT_RGB24,
    SWS_AREA,
  );
  const rgb = Buffer.alloc(width * height * 3);
  const rows = scaler.scaleSync(frame.data!, frame.linesize, 0, frame.height, [rgb], [width * 3]);
  FFmpegError.throwIfError(rows, `scale ${name}`);
  return { width, height, rgb };
}

type Point = readonly [number, number];

/** Catmull-Rom through the points, open at the bottom edge (first and last point stay corners). */
function smooth(points: readonly Point[]): Point[] {
  const out: Point[] = [];
  const steps = 5;
  for (let i = 0; i < points.length - 1; i++) {
    const [a, b, c, d] = [
      points[Math.max(0, i - 1)]!,
      points[i]!,
      points[i + 1]!,
      points[i + 2] ?? points[i + 1]!,
    ];
    for (let step = 0; step < steps; step++) {
      const t = step / steps;
      const at = (k: 0 | 1) =>
        0.5 *
        (2 * b[k] +
          (c[k] - a[k]) * t +
          (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t * t +
          (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t ** 3);
      out.push([at(0), at(1)]);
    }
  }
  const [first, last] = [points[0]!, points.at(-1)!];
  // Continue below the cut, so that the bottom edge is not feathered.
  out.push(last, [last[0], last[1] + 100], [first[0], first[1] + 100]);
  return out;
}

/** Coverage of a closed curve, feathered inwards over `feather` px. */
function cover(
  curve: readonly Point[],
  left: number,
  top: number,
  width: number,
  height: number,
  feather: number,
) {
  const alpha = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const px = x + left + 0.5;
      const py = y + top + 0.5;
      let inside = false;
      let nearest = Number.POSITIVE_INFINITY;
      for (let i = 0, j = curve.length - 1; i < curve.length; j = i++) {
        const [ax, ay] = curve[j]!;
        const [bx, by] = curve[i]!;
        if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) inside = !inside;
        const dx = bx - ax;
        const dy = by - ay;
        const along = Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
        const ex = px - ax - along * dx;
        const ey = py - ay - along * dy;
        nearest = Math.min(nearest, ex * ex + ey * ey);
      }
      if (inside) alpha[y * width + x] = Math.round(255 * Math.min(1, Math.sqrt(nearest) / feather));
    }
  }
  return alpha;
}
