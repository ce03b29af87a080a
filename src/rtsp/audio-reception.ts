// A camera's sound beside its video: set up in the same session, put on the video's clock, handed on.
// Whatever goes wrong here costs the sound and nothing else.

import type { AudioOffer, AudioUnit } from '../media/audio.ts';
import { AudioAlignment } from './alignment.ts';
import type { RtspConnection } from './connection.ts';
import { createAudioDepacketizer } from './depacketize/audio.ts';
import type { RtspResponse } from './message.ts';
import { isSuccess, readSession } from './negotiation.ts';
import { parseRtcp } from './rtcp.ts';
import { RtpReceiver } from './rtp-receiver.ts';
import type { AudioTrack } from './sdp-audio.ts';
import { Track } from './track.ts';
import { settledWithin } from './waiting.ts';

export interface AudioEvents {
  /**
   * Once a session: with the first unit for sound that comes, before PLAY for sound that never will. A camera that
   * announces sound and sends none is never heard of.
   */
  onAudio?(offer: AudioOffer): void;
  /** On the same clock as the access units. */
  onAudioUnit?(unit: AudioUnit): void;
}

export interface AudioReceptionOptions {
  readonly track: AudioTrack;
  readonly url: string;
  readonly ssrc: number;
  /** Of the same session, set up. */
  readonly video: Track;
  readonly events: AudioEvents;
}

/** Asked for over TCP, and what is asked for when the camera gave these to the video. */
const channels = [
  [2, 3],
  [4, 5],
] as const;
/** An answer to the SETUP that takes longer is not waited for, ms: there is video to be shown. */
const patience = 2000;

export class AudioReception {
  readonly track: Track;
  readonly #video: Track;
  readonly #audio: AudioTrack['audio'];
  readonly #events: AudioEvents;
  readonly #alignment: AudioAlignment;
  #told = false;
  #over = false;
  units = 0;
  droppedUnits = 0;

  constructor({ track, url, ssrc, video, events }: AudioReceptionOptions) {
    this.#video = video;
    this.#audio = track.audio;
    this.#events = events;
    const depacketizer = createAudioDepacketizer(track, {
      onUnit: (data, timestamp, duration, receivedAt) => this.#take(data, timestamp, duration, receivedAt),
      onDropped: () => {
        this.droppedUnits++;
      },
    });
    const receiver = new RtpReceiver(track, depacketizer);
    this.#alignment = new AudioAlignment(video.receiver.clock, receiver.clock);
    this.track = new Track({
      url,
      receiver,
      channels: channels.find(([rtp]) => !video.channels.includes(rtp)) ?? channels[0],
      ssrc,
      onRtp: (data, now) => {
        if (!this.#over) receiver.push(data, now);
      },
      onRtcp: (data, now) => this.#takeRtcp(data, now),
    });
  }

  /**
   * SETUP in the session that the video has. Never throws: false when the camera will not, or does not answer in time.
   */
  async setUp(connection: RtspConnection, lower: 'tcp' | 'udp', session: string): Promise<boolean> {
    // Also when it is refused: a camera may send it all the same, and its frames are no garbage.
    const expected = [...this.#video.channels, ...this.track.channels];
    connection.expectChannels(new Set(expected));
    let response: RtspResponse | null = null;
    const asked = this.track.request(connection, lower, session).then((answer) => {
      response = answer;
    });
    await settledWithin(asked, patience);
    const accepted = response !== null && this.#accept(response, session);
    connection.expectChannels(new Set([...expected, ...this.track.channels]));
    if (!accepted) this.close();
    return accepted;
  }

  #accept(response: RtspResponse, session: string): boolean {
    if (!isSuccess(response)) return false;
    try {
      this.track.accept(response);
      // A session of its own would want a PLAY of its own; on the video's channels nobody could tell them apart.
      const same = readSession(response).id === session;
      return same && !this.track.channels.some((channel) => this.#video.channels.includes(channel));
    } catch {
      // What it answers makes no sense: a refusal like any other.
      return false;
    }
  }

  close(): void {
    this.#over = true;
    this.track.close();
  }

  #take(data: Uint8Array, timestamp: number, duration: number, receivedAt: number): void {
    const aligned = this.#alignment.map(timestamp, receivedAt);
    // Before the first picture there is nothing to be in step with.
    if (aligned === null) return;
    const audio = this.#audio;
    if (!this.#told) {
      this.#told = true;
      this.#events.onAudio?.({ kind: 'audio', audio });
    }
    this.units++;
    this.#events.onAudioUnit?.({ audio, data, timestamp: aligned, duration, receivedAt });
  }

  /** A goodbye of the sound alone says nothing about the video: it simply comes no more. */
  #takeRtcp(data: Uint8Array, now: number): void {
    if (this.#over) return;
    for (const packet of parseRtcp(data)) {
      if (packet.kind === 'sr') this.track.receiver.senderReport(packet, now);
    }
  }
}
