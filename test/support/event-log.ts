// What one instance tells on /ws/events/: alerts and statuses, each with its arrival.
// Listening only; what must be told is up to the tests.

import { once } from 'node:events';
import WebSocket from 'ws';
import type { EventMessage, FaceAlertMessage } from '../../src/live/protocol.ts';
import type { Service } from './service.ts';
import { epochNow } from './viewer.ts';

export interface HeardAlert {
  readonly alert: FaceAlertMessage;
  /** `epochNow` */
  readonly at: number;
}

export class EventLog {
  readonly alerts: HeardAlert[] = [];
  /** By stream, repetitions left out. */
  readonly statuses = new Map<string, string[]>();
  /** `epochNow` of its opening, and of its end. */
  readonly since: number;
  until: number | null = null;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.since = epochNow();
    socket.on('message', (data) => this.#hear(JSON.parse(String(data)) as EventMessage));
    // The close that follows says all there is to say.
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.until = epochNow();
    });
  }

  static async open(service: Service): Promise<EventLog> {
    const socket = new WebSocket(service.socketUrl('/ws/events/'), { headers: service.headers });
    const log = new EventLog(socket);
    await once(socket, 'open');
    return log;
  }

  alertsOf(streamId: string): FaceAlertMessage[] {
    return this.alerts.map(({ alert }) => alert).filter((alert) => alert.stream_id === streamId);
  }

  close(): void {
    this.#socket.terminate();
  }

  #hear(message: EventMessage): void {
    if (message.type === 'face_alert') this.alerts.push({ alert: message, at: epochNow() });
    if (message.type !== 'status') return;
    const told = this.statuses.get(message.stream_id) ?? [];
    if (told.at(-1) !== message.status) told.push(message.status);
    this.statuses.set(message.stream_id, told);
  }
}
