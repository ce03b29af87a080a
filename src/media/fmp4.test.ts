import { describe, expect, it } from 'vitest';
import { box, fragment, fragmentHeaderBytes, fullBox, initSegment, u16, u32 } from './fmp4.ts';
import { describeH264 } from './h264.ts';
import { describeH265 } from './h265.ts';
import { joinAnnexB } from './nal.ts';
import { audioSampleEntry, sampleBytes, sampleNals, videoSampleEntry, writeSample } from './sample-entry.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const base64 = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'));

/** Types and sizes of boxes, those inside of containers indented. */
function outline(bytes: Uint8Array, depth = 0): string[] {
  const containers = ['moov', 'trak', 'mdia', 'minf', 'dinf', 'stbl', 'mvex', 'moof', 'traf'];
  const data = Buffer.from(bytes);
  const lines: string[] = [];
  for (let at = 0; at < data.length; ) {
    const size = data.readUInt32BE(at);
    const type = data.toString('latin1', at + 4, at + 8);
    lines.push(`${' '.repeat(depth)}${type} ${size}`);
    if (containers.includes(type)) lines.push(...outline(data.subarray(at + 8, at + size), depth + 1));
    at += size;
    expect(at).toBeLessThanOrEqual(data.length);
  }
  return lines;
}

const track = {
  kind: 'video',
  timescale: 1_000_000,
  sampleEntry: box('avc1'),
  width: 640,
  height: 480,
} as const;

describe('fragmented MP4', () => {
  it('is made of boxes with their size, type, version and flags', () => {
    expect(hex(box('free', u16(1, 2)))).toBe('0000000c6672656500010002');
    expect(hex(fullBox('url ', 1, 0x010203, u32(0xffffffff)))).toBe('0000001075726c2001010203ffffffff');
  });

  it('begins with an initialisation segment of all tracks', () => {
    const sound = { ...track, id: 2, kind: 'audio', timescale: 48_000, width: 0, height: 0 } as const;
    const segment = initSegment([{ ...track, id: 1 }, sound]);
    const trak = (media: string) => [
      ' trak 357',
      '  tkhd 92',
      '  mdia 257',
      '   mdhd 32',
      '   hdlr 33',
      '   minf 184',
      `    ${media}`,
      '    dinf 36',
      '     dref 28',
      '    stbl 120',
      '     stsd 24',
      '     stts 16',
      '     stsc 16',
      '     stsz 20',
      '     stco 16',
    ];
    const lines = outline(segment);
    expect(lines[0]).toBe('ftyp 24');
    expect(lines.filter((line) => /trex|mvhd|mehd/.test(line))).toEqual([
      ' mvhd 108',
      '  trex 32',
      '  trex 32',
    ]);
    const kinds = (lines: readonly string[]) => lines.map((line) => line.replace(/ \d+$/, ''));
    for (const media of ['vmhd', 'smhd']) {
      const at = lines.findIndex((line) => line.includes(media));
      expect(kinds(lines.slice(at - 6, at + 9))).toEqual(kinds(trak(`${media} 0`)));
    }
    // next_track_ID is above all others.
    expect(Buffer.from(segment).readUInt32BE(24 + 8 + 108 - 4)).toBe(3);
  });

  it('goes on with fragments of one sample, whatever its times', () => {
    const decodeTime = 5_000_000_000_123;
    const { data, payload } = fragment({
      sequence: 7,
      track: { id: 1 },
      decodeTime,
      samples: [{ bytes: 5, duration: 66_667, compositionOffset: -40_000, sync: true }],
    });
    payload.set([1, 2, 3, 4, 5]);
    const bytes = Buffer.from(data);
    expect(outline(data)).toEqual([
      'moof 104',
      ' mfhd 16',
      ' traf 80',
      '  tfhd 16',
      '  tfdt 20',
      '  trun 36',
      'mdat 13',
    ]);
    expect(bytes.readUInt32BE(20)).toBe(7);
    const tfhd = bytes.indexOf('tfhd') + 4;
    // default-base-is-moof
    expect(bytes.readUInt32BE(tfhd)).toBe(0x020000);
    expect(Number(bytes.readBigUInt64BE(bytes.indexOf('tfdt') + 8))).toBe(decodeTime);
    const trun = bytes.indexOf('trun') + 4;
    expect(bytes.readUInt32BE(trun)).toBe(0x01000f01);
    expect(bytes.readUInt32BE(trun + 8)).toBe(fragmentHeaderBytes(1));
    expect(bytes.readUInt32BE(trun + 12)).toBe(66_667);
    expect(bytes.readUInt32BE(trun + 16)).toBe(5);
    expect(bytes.readUInt32BE(trun + 20)).toBe(0x02000000);
    expect(bytes.readInt32BE(trun + 24)).toBe(-40_000);
    expect(hex(data.subarray(fragmentHeaderBytes(1)))).toBe('0102030405');
  });

  it('holds several samples in a fragment, each with its size and duration', () => {
    const samples = [3, 2].map((bytes) => ({
      bytes,
      duration: 1024 + bytes,
      compositionOffset: 0,
      sync: true,
    }));
    const { data, payload } = fragment({ sequence: 1, track: { id: 2 }, decodeTime: 5, samples });
    expect(outline(data)).toEqual([
      'moof 120',
      ' mfhd 16',
      ' traf 96',
      '  tfhd 16',
      '  tfdt 20',
      '  trun 52',
      'mdat 13',
    ]);
    const trun = Buffer.from(data).subarray(data.length - 5 - 8 - 52 + 8);
    const members = Array.from({ length: 11 }, (_, i) => trun.readUInt32BE(4 * i));
    expect(members.slice(1, 3)).toEqual([2, fragmentHeaderBytes(2)]);
    expect(members.slice(3)).toEqual([1027, 3, 0x02000000, 0, 1026, 2, 0x02000000, 0]);
    expect(payload).toHaveLength(5);
  });
});

describe('sample entries', () => {
  const highSps = base64('Z2QAKKzZQHgCJ+XAWoCAgKAAAAMAIAAABlHjBjLA');
  const baseSps = base64('Z0LAFtkAoD2wFqDAwNSgAAADACAAAAMD0eLFyQ==');
  const pps = base64('aMuMsg==');

  it('avc1 holds the parameter sets, and of a high profile what its samples are', () => {
    const entry = videoSampleEntry(describeH264([highSps, pps])!)!;
    expect(hex(entry.subarray(4, 8))).toBe(hex(Buffer.from('avc1')));
    expect(Buffer.from(entry).readUInt16BE(32)).toBe(1920);
    expect(Buffer.from(entry).readUInt16BE(34)).toBe(1080);
    const avcC = `01640028ffe1${'001e'}${hex(highSps)}01${'0004'}${hex(pps)}fdf8f800`;
    expect(hex(entry)).toMatch(new RegExp(`${hex(Buffer.from('avcC'))}${avcC}$`));
    const plain = videoSampleEntry(describeH264([baseSps, pps])!)!;
    expect(hex(plain)).toMatch(new RegExp(`0142c016ffe1001c${hex(baseSps)}010004${hex(pps)}$`));
  });

  it('hvc1 holds profile, level, what samples are, and the parameter sets by kind', () => {
    const vps = base64('QAEMAf//BAgAAAMAmAgAAAMAAF2Q');
    const sps = base64('QgEBBAgAAAMAmAgAAAMAAF2QAFAQBaIpSys0kmV/+AAIAAtQEBAQQAAAAwBAAAAHgg==');
    const hevcPps = base64('RAHBcrRiQA==');
    const entry = Buffer.from(videoSampleEntry(describeH265([vps, sps, hevcPps])!)!);
    expect(entry.toString('latin1', 4, 8)).toBe('hvc1');
    const hvcC = entry.subarray(entry.indexOf('hvcC') + 4);
    // Its pictures are 4:4:4 with 12 bits. Version; profile 4 and its compatibility; constraints; level 93 — emulation prevention taken out.
    expect(hex(hvcC.subarray(0, 13))).toBe('010408000000980800000000' + '5d');
    expect(hex(hvcC.subarray(13, 19))).toBe('f000fcfffcfc');
    expect(hvcC[21]! & 3).toBe(3);
    expect(hvcC[22]).toBe(3);
    const sets = [vps, sps, hevcPps].map(
      (set, i) => `${(0xa0 + i).toString(16)}0001${set.length.toString(16).padStart(4, '0')}${hex(set)}`,
    );
    expect(hex(hvcC.subarray(23))).toBe(sets.join(''));
  });

  it('mp4a holds rate, channels, and the configuration of the decoder', () => {
    const config = Uint8Array.of(0x11, 0x90);
    const audio = {
      codec: 'aac',
      sampleRate: 48_000,
      channels: 2,
      config,
      codecString: 'mp4a.40.2',
    } as const;
    const entry = Buffer.from(audioSampleEntry(audio));
    expect(entry.toString('latin1', 4, 8)).toBe('mp4a');
    expect(entry.readUInt32BE(0)).toBe(entry.length);
    expect([entry.readUInt16BE(24), entry.readUInt16BE(26), entry.readUInt32BE(32)]).toEqual([
      2,
      16,
      48_000 * 0x10000,
    ]);
    expect(hex(entry.subarray(36))).toBe(
      `${'00000027'}${hex(Buffer.from('esds'))}00000000` +
        '0319000000' +
        '04114015000000' +
        '0000000000000000' +
        '05021190' +
        '060102',
    );
    // A rate that has no place in the box is told by the configuration alone; a long one has a long length.
    const long = audioSampleEntry({ ...audio, sampleRate: 96_000, config: new Uint8Array(200) });
    expect(Buffer.from(long).readUInt32BE(32)).toBe(0);
    expect(hex(long)).toContain(`058148${'00'.repeat(200)}060102`);
  });

  it('are not made of MJPEG, nor of what cannot be read', () => {
    const mjpeg = {
      codec: 'mjpeg',
      width: 1,
      height: 1,
      fps: null,
      codecString: 'mjpeg',
      parameterSets: [],
    } as const;
    expect(videoSampleEntry(mjpeg)).toBeNull();
    expect(videoSampleEntry({ ...describeH264([highSps])!, parameterSets: [pps] })).toBeNull();
  });

  it('belong to samples of NAL units behind their length, without the parameter sets of a keyframe', () => {
    const slice = Uint8Array.of(0x65, 1, 2, 3);
    const data = joinAnnexB([highSps, pps, slice]);
    const unit = {
      codec: 'h264',
      data,
      keyframe: true,
      timestamp: 0,
      receivedAt: 0,
      lossBefore: false,
    } as const;
    const nals = sampleNals(unit);
    const sample = new Uint8Array(sampleBytes(nals));
    writeSample(nals, sample);
    expect(hex(sample)).toBe('0000000465010203');
    // Sets that came without a keyframe are in no sample entry yet.
    expect(sampleNals({ ...unit, keyframe: false })).toHaveLength(3);
  });
});
