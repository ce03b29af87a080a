// Motion JPEG over RTP (RFC 2435): fragments to whole JPEG images with their headers rebuilt.
// Sizes over 2040 pixels come from the SDP or from the header extension that ONVIF cameras send.

import type { VideoParameters } from '../../media/access-unit.ts';
import { findFrameHeader } from '../../media/jpeg.ts';
import type { RtpPacket } from '../rtp.ts';
import { type Depacketizer, type DepacketizerSink, type DropReason, UnitBuffer } from './depacketizer.ts';
import { buildJpegHeader, standardTables } from './jpeg-header.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** ONVIF Streaming Specification §5.2.2.1: JPEG segments in the header extension. */
const onvifJpegExtension = 0xffd8;
const maxTableBytes = 256;
const nothing = new Uint8Array();

export class MjpegDepacketizer implements Depacketizer {
  readonly #sink: DepacketizerSink;
  readonly #declaredSize: Size | null;
  readonly #fps: number | null;
  readonly #buffer = new UnitBuffer();
  /** Quantisation tables that were sent once for Q 128…254. */
  readonly #tables = new Map<number, { readonly precision: number; readonly tables: Uint8Array }>();
  /** What the newest header was made from, to make it anew only when something changed. */
  #headerKey = '';
  #header: Uint8Array = nothing;
  #size: Size = { width: 0, height: 0 };
  #video: VideoParameters | null = null;
  #rtpTimestamp = -1;
  #timestamp = 0;
  #receivedAt = 0;
  #nextOffset = 0;
  #drop: DropReason | null = null;
  #lossBefore = false;

  constructor(declaredSize: Size | null, fps: number | null, sink: DepacketizerSink) {
    this.#declaredSize = declaredSize;
    this.#fps = fps;
    this.#sink = sink;
  }

  get retainedBytes(): number {
    return this.#buffer.retainedBytes + this.#header.length + this.#tables.size * maxTableBytes;
  }

  push(packet: RtpPacket, timestamp: number, receivedAt: number, gap: boolean): void {
    if (gap) {
      this.#lossBefore = true;
      if (this.#rtpTimestamp !== -1) this.#drop ??= 'loss';
    }
    if (this.#rtpTimestamp !== -1 && packet.timestamp !== this.#rtpTimestamp) this.#finish();
    if (this.#rtpTimestamp === -1) {
      this.#rtpTimestamp = packet.timestamp;
      this.#nextOffset = 0;
    }
    this.#timestamp = timestamp;
    this.#receivedAt = receivedAt;
    if (this.#drop === null) this.#drop = this.#read(packet);
    if (packet.marker) this.#finish();
  }

  /** RFC 2435 §3.1. Gives what is wrong with the packet. */
  #read(packet: RtpPacket): DropReason | null {
    const { data, payloadStart: at, payloadEnd: end } = packet;
    if (end - at < 8) return 'broken';
    const offset = (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!;
    const type = data[at + 4]!;
    if (offset !== this.#nextOffset) return 'loss';
    let scan = at + 8;
    let restartInterval = 0;
    if (type >= 64 && type <= 127) {
      if (end - scan < 4) return 'broken';
      restartInterval = (data[scan]! << 8) | data[scan + 1]!;
      scan += 4;
    }
    if (offset === 0) {
      scan = this.#begin(packet, type & 0x3f, scan, restartInterval);
      if (scan === -1) return 'broken';
    }
    if (!this.#buffer.append(data, scan, end)) return 'too_large';
    this.#nextOffset = offset + end - scan;
    return null;
  }

  /** Writes the header of a new image; where its scan data begins, or -1. */
  #begin(packet: RtpPacket, type: number, tablesAt: number, restartInterval: number): number {
    const { data, payloadStart: at, payloadEnd: end } = packet;
    const quality = data[at + 5]!;
    if (type > 1 || quality === 0 || (quality >= 100 && quality < 128)) return -1;
    let scan = tablesAt;
    let inline: { precision: number; tables: Uint8Array } | undefined;
    if (quality >= 128) {
      if (end - scan < 4) return -1;
      const length = (data[scan + 2]! << 8) | data[scan + 3]!;
      if (length > maxTableBytes || scan + 4 + length > end) return -1;
      if (length >= 64)
        inline = {
          precision: data[scan + 1]!,
          tables: Uint8Array.from(data.subarray(scan + 4, scan + 4 + length)),
        };
      scan += 4 + length;
      if (inline && quality < 255) this.#tables.set(quality, inline);
      inline ??= this.#tables.get(quality);
      if (!inline || inline.tables.length < (inline.precision & 1 ? 128 : 64)) return -1;
    }
    const size = this.#sizeOf(packet);
    if (size === null) return -1;
    this.#makeHeader(size, type, quality, restartInterval, inline);
    this.#buffer.append(this.#header, 0, this.#header.length);
    return scan;
  }

  #sizeOf(packet: RtpPacket): Size | null {
    const { data, payloadStart: at } = packet;
    if (packet.extensionProfile === onvifJpegExtension) {
      const extension = data.subarray(packet.extensionStart, packet.extensionEnd);
      const size = findFrameHeader(extension, 0);
      if (size) return size;
    }
    const width = data[at + 6]! * 8;
    const height = data[at + 7]! * 8;
    if (width > 0 && height > 0) return { width, height };
    return this.#declaredSize;
  }

  #makeHeader(
    size: Size,
    type: number,
    quality: number,
    restartInterval: number,
    inline: { readonly precision: number; readonly tables: Uint8Array } | undefined,
  ): void {
    const tables = inline ? Buffer.from(inline.tables.buffer).toString('latin1') : quality;
    const key = `${size.width} ${size.height} ${type} ${restartInterval} ${inline?.precision} ${tables}`;
    if (key === this.#headerKey) return;
    this.#headerKey = key;
    this.#size = size;
    this.#header = buildJpegHeader({
      ...size,
      subsampling: type === 0 ? '4:2:2' : '4:2:0',
      tables: inline?.tables ?? standardTables(quality),
      precision: inline?.precision ?? 0,
      restartInterval,
    });
  }

  #finish(): void {
    if (this.#drop === null && this.#nextOffset === 0) this.#drop = 'broken';
    if (this.#drop === null) this.#endImage();
    if (this.#drop === null) this.#emit();
    else {
      this.#lossBefore = true;
      this.#buffer.truncate(0);
      this.#sink.onDropped(this.#drop);
    }
    this.#rtpTimestamp = -1;
    this.#drop = null;
  }

  /** The end marker may or may not be among what was sent. */
  #endImage(): void {
    const tail = this.#buffer.view(this.#buffer.length - 2);
    if (tail[0] === 0xff && tail[1] === 0xd9) return;
    if (!this.#buffer.appendByte(0xff) || !this.#buffer.appendByte(0xd9)) this.#drop = 'too_large';
  }

  #emit(): void {
    const { width, height } = this.#size;
    if (this.#video?.width !== width || this.#video.height !== height) {
      this.#video = {
        codec: 'mjpeg',
        width,
        height,
        fps: this.#fps,
        codecString: 'mjpeg',
        parameterSets: [],
      };
      this.#sink.onVideo(this.#video);
    }
    const lossBefore = this.#lossBefore;
    this.#lossBefore = false;
    this.#sink.onAccessUnit({
      codec: 'mjpeg',
      data: this.#buffer.take(nothing, 0),
      keyframe: true,
      timestamp: this.#timestamp,
      receivedAt: this.#receivedAt,
      lossBefore,
    });
  }
}
