// AAC over RTP in LATM (RFC 6416 §6), its config told in the SDP: AudioMuxElements, whole or in fragments.
// The config itself is read by stream-mux-config.ts.

import type { RtpPacket } from '../rtp.ts';
import type { AudioPayload } from '../sdp-audio.ts';
import type { AudioSink } from './audio.ts';
import type { Depacketizer } from './depacketizer.ts';

type Layout = Omit<Extract<AudioPayload, { kind: 'latm' }>, 'kind'>;

/** A longer element is none of a camera's, bytes. */
const maxElement = 64 * 1024;
const nothing = new Uint8Array();

export class LatmDepacketizer implements Depacketizer {
  readonly #layout: Layout;
  readonly #sink: AudioSink;
  /** Payloads of the element that has not ended. */
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #rtpTimestamp = -1;
  #timestamp = 0;
  /** Something of this element is missing: nothing of it can be read. */
  #damaged = false;

  constructor(layout: Layout, sink: AudioSink) {
    this.#layout = layout;
    this.#sink = sink;
  }

  get retainedBytes(): number {
    return this.#bytes;
  }

  push(packet: RtpPacket, timestamp: number, receivedAt: number, gap: boolean): void {
    // Without its marker the element before lost its end.
    if (this.#parts.length > 0 && packet.timestamp !== this.#rtpTimestamp) this.#end(true);
    if (gap && this.#parts.length > 0) this.#damaged = true;
    if (this.#parts.length === 0) {
      this.#rtpTimestamp = packet.timestamp;
      this.#timestamp = timestamp;
    }
    const { data, payloadStart, payloadEnd } = packet;
    if (this.#bytes + payloadEnd - payloadStart > maxElement) this.#damaged = true;
    if (this.#damaged) {
      this.#parts = [nothing];
      this.#bytes = 0;
    } else {
      this.#parts.push(Uint8Array.from(data.subarray(payloadStart, payloadEnd)));
      this.#bytes += payloadEnd - payloadStart;
    }
    if (packet.marker) this.#end(this.#damaged, receivedAt);
  }

  #end(damaged: boolean, receivedAt = 0): void {
    const [first = nothing] = this.#parts;
    const element = this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.#damaged = false;
    if (damaged || !this.#readElement(element, receivedAt)) this.#sink.onDropped(damaged ? 'loss' : 'broken');
  }

  /** PayloadLengthInfo and PayloadMux of each unit (ISO 14496-3 §1.7.3.1). */
  #readElement(element: Uint8Array, receivedAt: number): boolean {
    const { unitsPerElement, unitDuration } = this.#layout;
    let at = 0;
    for (let i = 0; i < unitsPerElement; i++) {
      let size = 0;
      let byte = 255;
      while (byte === 255 && at < element.length) {
        byte = element[at++]!;
        size += byte;
      }
      if (size === 0 || byte === 255 || at + size > element.length) return false;
      const data = Uint8Array.from(element.subarray(at, at + size));
      this.#sink.onUnit(data, this.#timestamp + Math.round(i * unitDuration), unitDuration, receivedAt);
      at += size;
    }
    return true;
  }
}
