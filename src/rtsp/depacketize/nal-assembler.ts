// Builds access units from NAL units and fragments of them: what H.264 and H.265 have in common.
// Reading the payload formats is h264.ts's and h265.ts's work.

import type { VideoCodec } from '../../media/access-unit.ts';
import { splitAnnexB } from '../../media/nal.ts';
import { type DepacketizerSink, type DropReason, UnitBuffer } from './depacketizer.ts';
import { type ParameterSetRules, ParameterSets } from './parameter-sets.ts';

/** `slice`: picture data; `skip`: not passed on (delimiters, filler); `other`: passed on (SEI…). */
export type NalKind = 'slice' | 'key' | 'set' | 'skip' | 'other';

export interface NalRules extends ParameterSetRules {
  readonly codec: VideoCodec;
  kindOf(type: number): NalKind;
}

const nothing = new Uint8Array();

export class NalAssembler {
  readonly sets: ParameterSets;
  readonly #rules: NalRules;
  readonly #sink: DepacketizerSink;
  readonly #buffer = new UnitBuffer();
  /** RTP timestamp of the open unit, -1 when none is open. */
  #rtpTimestamp = -1;
  #timestamp = 0;
  #receivedAt = 0;
  /** Bytes at the front of the buffer, left for parameter sets. */
  #room = 0;
  #keyframe = false;
  #hasSlice = false;
  #setsChanged = false;
  #drop: DropReason | null = null;
  #lossBefore = false;
  /** Where the fragmented NAL unit begins in the buffer, -1 when there is none. */
  #fragmentAt = -1;
  #announced: unknown = null;

  constructor(rules: NalRules, declaredSets: readonly Uint8Array[], sink: DepacketizerSink) {
    this.#rules = rules;
    this.#sink = sink;
    this.sets = new ParameterSets(rules, declaredSets);
  }

  get retainedBytes(): number {
    return this.#buffer.retainedBytes + this.sets.prefix.length * 2;
  }

  get fragmentOpen(): boolean {
    return this.#fragmentAt !== -1;
  }

  /**
   * To be called first for each packet.
   * @param startsPicture the packet's first NAL unit begins a picture or stands before one; so a gap before it, at
   * the beginning of a unit, took nothing of this unit.
   */
  beginPacket(
    rtpTimestamp: number,
    timestamp: number,
    receivedAt: number,
    gap: boolean,
    startsPicture: boolean,
  ): void {
    if (gap) {
      this.#lossBefore = true;
      if (this.#rtpTimestamp !== -1) this.damage('loss');
    }
    if (this.#rtpTimestamp !== -1 && rtpTimestamp !== this.#rtpTimestamp) this.#finish();
    if (this.#rtpTimestamp === -1) {
      this.#rtpTimestamp = rtpTimestamp;
      this.#room = this.sets.prefix.length;
      this.#buffer.skip(this.#room);
      if (gap && !startsPicture) this.damage('loss');
    }
    this.#timestamp = timestamp;
    this.#receivedAt = receivedAt;
  }

  endPacket(marker: boolean): void {
    if (marker) this.#finish();
  }

  /** The open unit will not be passed on. */
  damage(reason: DropReason): void {
    this.#drop ??= reason;
    this.#closeFragment(false);
  }

  /** One whole NAL unit. */
  add(data: Uint8Array, start: number, end: number): void {
    this.#closeFragment(true);
    if (end <= start) return;
    const first = data[start]!;
    // Annex B where a NAL unit should be: some cameras do not strip it.
    if (first === 0 && end - start > 4 && data[start + 1] === 0) {
      for (const nal of splitAnnexB(data.subarray(start, end)))
        if (nal[0] !== 0) this.add(nal, 0, nal.length);
      return;
    }
    const kind = first & 0x80 ? 'skip' : this.#rules.kindOf(this.#rules.typeOf(first));
    if (kind === 'skip') return;
    if (kind === 'set') this.#takeSet(data.subarray(start, end));
    else if (this.#drop === null) {
      this.#note(kind);
      if (!this.#buffer.appendStartCode() || !this.#buffer.append(data, start, end)) this.damage('too_large');
    }
  }

  /** The first fragment of a NAL unit; `second` is -1 where the codec's NAL header has one byte. */
  openFragment(first: number, second: number, data: Uint8Array, start: number, end: number): void {
    // A fragment without its end bit, and nothing lost: taken for whole.
    this.#closeFragment(true);
    this.#fragmentAt = this.#buffer.length;
    if (!this.#buffer.appendStartCode() || !this.#buffer.appendByte(first)) this.damage('too_large');
    else if (second !== -1) this.#buffer.appendByte(second);
    this.addFragment(data, start, end);
  }

  addFragment(data: Uint8Array, start: number, end: number): void {
    if (this.#fragmentAt === -1) {
      this.damage('broken');
      return;
    }
    if (!this.#buffer.append(data, start, end)) this.damage('too_large');
  }

  endFragment(): void {
    this.#closeFragment(true);
  }

  #note(kind: NalKind): void {
    if (kind === 'key') this.#keyframe = true;
    if (kind === 'key' || kind === 'slice') this.#hasSlice = true;
  }

  #takeSet(nal: Uint8Array): void {
    if (this.sets.update(nal)) this.#setsChanged = true;
  }

  #closeFragment(whole: boolean): void {
    const at = this.#fragmentAt;
    if (at === -1) return;
    this.#fragmentAt = -1;
    const nal = this.#buffer.view(at + 4);
    const kind =
      nal.length === 0 || nal[0]! & 0x80 ? 'skip' : this.#rules.kindOf(this.#rules.typeOf(nal[0]!));
    if (whole && kind === 'set') this.#takeSet(nal);
    if (!whole || kind === 'set' || kind === 'skip') this.#buffer.truncate(at);
    else this.#note(kind);
  }

  #finish(): void {
    this.#closeFragment(true);
    const { video } = this.sets;
    if (this.#drop === null && this.#hasSlice && video === null) this.#drop = 'no_parameters';
    if (this.#drop !== null) {
      this.#lossBefore = true;
      this.#buffer.truncate(0);
      this.#sink.onDropped(this.#drop);
    } else if (this.#hasSlice && video !== null) {
      if (video !== this.#announced) this.#sink.onVideo(video);
      this.#announced = video;
      this.#emit();
    } else this.#buffer.truncate(0);
    this.#rtpTimestamp = -1;
    this.#keyframe = false;
    this.#hasSlice = false;
    this.#drop = null;
  }

  #emit(): void {
    // Sets that changed without a keyframe are needed from here on all the same.
    const prefix = this.#keyframe || this.#setsChanged ? this.sets.prefix : nothing;
    this.#setsChanged = false;
    const lossBefore = this.#lossBefore;
    this.#lossBefore = false;
    this.#sink.onAccessUnit({
      codec: this.#rules.codec,
      data: this.#buffer.take(prefix, this.#room),
      keyframe: this.#keyframe,
      timestamp: this.#timestamp,
      receivedAt: this.#receivedAt,
      lossBefore,
    });
  }
}
