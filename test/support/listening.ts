// A viewer of a camera's own video that may ask for its sound, and what it gets taken apart.
// Headers and boxes are read in packets.ts; the socket is viewer.ts's.

import type { ServerMessage } from '../../src/live/protocol.ts';
import { findBox, isInitSegment, readBoxes } from './packets.ts';
import type { Parts } from './parts.ts';
import { Viewer } from './viewer.ts';

export type StreamInfo = Extract<ServerMessage, { type: 'stream_info' }>;
export type AudioTold = Pick<StreamInfo, 'audio' | 'audio_unsupported'>;

/** A binary message, with the description that was told before it. */
export interface Message {
  readonly info: StreamInfo;
  /** How many descriptions had been told. */
  readonly nth: number;
  readonly data: Buffer;
}

export class Listening {
  readonly viewer: Viewer;
  readonly messages: Message[] = [];
  readonly infos: StreamInfo[] = [];
  /** What was told of the sound, by whichever message. */
  readonly told: AudioTold[] = [];

  /** @param query as in `&format=mp4&audio=1`. */
  constructor({ service }: Parts, id: string, query: string) {
    this.viewer = new Viewer(`${service.socketUrl(`/ws/stream/?stream_id=${id}`)}${query}`, {
      headers: service.headers,
      onPicture: (data) => this.messages.push({ info: this.infos.at(-1)!, nth: this.infos.length, data }),
      onMessage: (message) => {
        if (message.type === 'stream_info') this.infos.push(message);
        if (message.type === 'stream_info' || message.type === 'audio') this.told.push(message);
      },
    });
  }

  get errors(): string[] {
    return this.viewer.messages.flatMap((message) => (message.type === 'error' ? [message.code] : []));
  }

  /** Whether sound is among the messages, as was told last. */
  get sent(): boolean {
    return this.told.at(-1)?.audio?.sent ?? false;
  }

  hear(on: boolean): void {
    this.viewer.send({ command: 'audio', on });
  }

  async until(what: string, holds: () => boolean, timeoutMs = 20_000): Promise<void> {
    await this.viewer.until(what, holds, timeoutMs);
  }

  /** Messages of `annexb` of this kind. */
  kind(kind: 1 | 2): Buffer[] {
    return this.messages.flatMap(({ info, data }) =>
      info.format === 'annexb' && data[0] === kind ? [data] : [],
    );
  }

  /** Of `mp4`: those since a description, the newest or the `nth`. */
  segment(nth = this.infos.length): Buffer[] {
    return this.messages.flatMap((message) => (message.nth === nth ? [message.data] : []));
  }
}

export function trackOf(fragment: Uint8Array): number {
  return Buffer.from(findBox(fragment, 'moof/traf/tfhd')).readUInt32BE(4);
}

export function tracksOf(segment: Uint8Array): number {
  if (!isInitSegment(segment)) throw new Error('no initialisation segment');
  return readBoxes(findBox(segment, 'moov')).filter(({ type }) => type === 'trak').length;
}

/** Ticks. */
export function decodeTimeOf(fragment: Uint8Array): number {
  return Number(Buffer.from(findBox(fragment, 'moof/traf/tfdt')).readBigUInt64BE(4));
}

export function sampleCountOf(fragment: Uint8Array): number {
  return Buffer.from(findBox(fragment, 'moof/traf/trun')).readUInt32BE(4);
}
