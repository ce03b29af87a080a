// What tests of the relay share: buses on one real Redis, a camera that is fed by hand, waiting for something to come true.
// Of the product nothing is replaced here: streams, buses and relays are the real ones.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clip } from '../../simulator/clip.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import type { AccessUnit, Picture, VideoParameters } from '../media/access-unit.ts';
import type { AudioParameters, AudioUnit } from '../media/audio.ts';
import type { AudioListener, AudioSource } from '../stream/audio-source.ts';
import type { FaceReader, FaceSource, LiveCamera, PictureSource } from '../stream/live-camera.ts';
import { Passthrough } from '../stream/passthrough.ts';
import { Stream } from '../stream/stream.ts';
import { openBus, type RedisBus } from './bus.ts';
import { noFigures } from './relay-messages.ts';
import { RelayReceiver } from './relay-receiver.ts';
import { RelaySender } from './relay-sender.ts';

/** Longer than anything takes, also on a machine that does something else. */
const withinMs = 20_000;

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`It did not come true in time: ${what}`);
    await sleep(10);
  }
}

export interface TestInstance {
  readonly bus: RedisBus;
  readonly sender: RelaySender;
  readonly receiver: RelayReceiver;
  close(): void;
}

/** @param prefix of a test, so that several can use one Redis. */
export async function openInstance(url: string, prefix: string, name: string): Promise<TestInstance> {
  const parts = { clock: systemClock, log: silentLog };
  const bus = await openBus({ url, prefix }, { instance: name, ...parts });
  const sender = new RelaySender({ bus, ...parts });
  const receiver = new RelayReceiver({ bus, ...parts });
  return {
    bus,
    sender,
    receiver,
    close() {
      sender.close();
      receiver.close();
      bus.close();
    },
  };
}

/** Subscribers given to hand, as everything that makes pictures, sound or faces has them. */
class ByHand<L extends object> {
  readonly listeners = new Set<L>();

  add(listener: L): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  each(call: (listener: L) => void): void {
    for (const listener of this.listeners) call(listener);
  }
}

/** A camera that sends what the test tells it to. */
export class HandCamera implements LiveCamera {
  readonly id: string;
  readonly stream = new Stream();
  readonly packets: Passthrough;
  readonly figures = { ...noFigures.camera, detections: 7 };
  readonly pictureReaders = new ByHand<(picture: Picture) => void>();
  readonly listeners = new ByHand<AudioListener>();
  readonly faceReaders = new ByHand<FaceReader>();
  readonly pictures: PictureSource;
  readonly audio: AudioSource;
  readonly faces: FaceSource;
  viewers = 0;
  aac: AudioParameters | null = null;
  #sent = 0;

  constructor(id: string) {
    this.id = id;
    this.pictures = {
      subscribe: (onPicture) => this.pictureReaders.add(onPicture),
      figures: { ...noFigures.pictures, processingTime: 4 },
    };
    const hand = this;
    this.audio = {
      get audio() {
        return hand.aac;
      },
      unsupported: null,
      figures: { listeners: 0, units: 0, dropped: 0, errors: 0, transcoding: false },
      subscribe: (listener) => this.listeners.add(listener),
    };
    this.faces = {
      subscribe: (reader) => this.faceReaders.add(reader),
      detector: { state: 'ready', message: null },
    };
    this.packets = new Passthrough(this.stream, this.audio);
  }

  join(): () => void {
    this.viewers += 1;
    return () => {
      this.viewers -= 1;
    };
  }

  /** How many units it has sent. */
  get sent(): number {
    return this.#sent;
  }

  begin(clip: Clip): void {
    this.stream.setVideo(videoOf(clip));
    this.stream.setStatus('online', null);
  }

  /** The next units of a clip, over and over. */
  send(clip: Clip, count = 1): void {
    for (let i = 0; i < count; i++) this.stream.publish(unitOf(clip, this.#sent++));
  }

  sendPicture(picture: Omit<Picture, 'receivedAt'>): void {
    this.pictureReaders.each((give) => give({ ...picture, receivedAt: performance.now() }));
  }

  sendSound(unit: Omit<AudioUnit, 'receivedAt'>): void {
    this.listeners.each((listener) => listener.onAudioUnit({ ...unit, receivedAt: performance.now() }));
  }
}

export function videoOf(clip: Clip): VideoParameters {
  const { codec, width, height, fps, parameterSets } = clip;
  return {
    codec,
    width,
    height,
    fps,
    codecString: 'avc1.42C01E',
    parameterSets: parameterSets.map((set) => new Uint8Array(set)),
  };
}

export function unitOf(clip: Clip, number: number): AccessUnit {
  const { accessUnits, codec, fps } = clip;
  const { data, keyframe } = accessUnits[number % accessUnits.length]!;
  return {
    codec,
    data,
    keyframe,
    timestamp: Math.round((number * 1_000_000) / fps),
    receivedAt: performance.now(),
    lossBefore: false,
  };
}

/** The right to run a stream, as a test gives and takes it. */
export function leaseOf(streamId: string, number: number) {
  return { fence: { streamId, number }, fresh: true };
}
