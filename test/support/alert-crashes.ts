// A service under steady alerts that is killed at random moments, and what must hold of its data after each time.
// For a test with few kills and a run by hand with many; when alerts are due is the service's business.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { forkSimulator } from '../../simulator/fork.ts';
import { decodeJpeg } from '../../src/codec/worker/test-clips.ts';
import type { EventMessage, FaceAlertMessage } from '../../src/live/protocol.ts';
import { backendSettings, removeData } from './backends.ts';
import { eventually } from './parts.ts';
import { type Service, startService } from './service.ts';
import { ageImages, countRows, dataFaults, orphans } from './stored-data.ts';

export interface CrashOptions {
  readonly kills: number;
  readonly random?: () => number;
  /** After each kill that was looked at. */
  readonly onKill?: (kill: number, soFar: CrashReport) => void;
}

/** Counts over the whole run; `faults` are sentences, none of which may be. */
export interface CrashReport {
  readonly kills: number;
  /** Alerts that reached the client, and of these the ones of the camera's own detector. */
  readonly alertsTold: number;
  readonly alertsOfCamera: number;
  /** Detections reported from outside whose 201 arrived. */
  readonly acknowledged: number;
  /** Rows at the end, those included of which nobody was told. */
  readonly detections: number;
  readonly alerts: number;
  /** Images without a row before the last sweep. */
  readonly orphans: number;
  readonly faults: readonly string[];
}

/** From ready to the kill, ms: the detector is at work after about one second. */
const longestLifeMs = 3_000;
const reporters = 3;
const betweenReportsMs = 60;

const busy = {
  label: 'BUSY',
  mood: 'day' as const,
  seconds: 12,
  visits: [{ person: 1, from: 0.2, to: 11.8, at: 0.5 }],
};

export async function crashUnderAlerts(options: CrashOptions): Promise<CrashReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rtsp-stream-viewer-crash-'));
  const simulator = await forkSimulator({
    cameras: [{ path: '/busy', clip: { scene: busy, gopSeconds: 1 } }],
  });
  const run = new Run(dataDir, options.random ?? Math.random);
  try {
    await run.prepare(simulator.url('/busy'));
    for (let kill = 1; kill <= options.kills; kill++) {
      await run.liveAndDie();
      options.onKill?.(kill, run.report);
    }
    await run.conclude();
    return run.report;
  } finally {
    await run.stop();
    await simulator.kill();
    await removeData(dataDir);
  }
}

class Run {
  readonly #dataDir: string;
  readonly #random: () => number;
  #service: Service | null = null;
  #kills = 0;
  #camera = '';
  /** Streams that only detectors outside report of. */
  #outside: string[] = [];
  #image = '';
  readonly #told = new Map<string, FaceAlertMessage>();
  /** Told since the last start: not looked at yet. */
  #news: FaceAlertMessage[] = [];
  readonly #acknowledged = new Set<string>();
  readonly #faults: string[] = [];
  #end = { detections: 0, alerts: 0, orphans: 0 };

  constructor(dataDir: string, random: () => number) {
    this.#dataDir = dataDir;
    this.#random = random;
  }

  get report(): CrashReport {
    const told = [...this.#told.values()];
    return {
      kills: this.#kills,
      alertsTold: told.length,
      alertsOfCamera: told.filter((alert) => alert.stream_id === this.#camera).length,
      acknowledged: this.#acknowledged.size,
      ...this.#end,
      faults: this.#faults,
    };
  }

  async prepare(cameraUrl: string): Promise<void> {
    const service = await this.#start();
    const save = async (name: string, rtsp_url: string, detection_enabled: boolean) => {
      const stream = { name, rtsp_url, detection_enabled };
      return (await service.api<{ id: string }>('POST', '/api/streams/', stream)).id;
    };
    this.#camera = await save('camera', cameraUrl, true);
    for (let index = 0; index < reporters; index++) {
      const id = await save(`outside ${index}`, `rtsp://127.0.0.1:9/${index}`, false);
      await service.api('PATCH', `/api/streams/${id}/status/`, { action: 'stop' });
      this.#outside.push(id);
    }
    const picture = await eventually(
      'a picture',
      () => fetch(`${service.baseUrl}/api/streams/${this.#camera}/snapshot.jpg`),
      (response) => response.ok,
    );
    this.#image = Buffer.from(await picture.arrayBuffer()).toString('base64');
    await this.stop();
  }

  /** One life of the service: it must have kept what it told in the one before, and tells more, until it is killed. */
  async liveAndDie(): Promise<void> {
    const service = await this.#start();
    const news = this.#news;
    this.#news = [];
    const events = this.#listen(service);
    let over = false;
    const reports = this.#outside.map(async (id) => {
      while (!over) {
        await this.#reportTo(service, id, () => over);
        await pause(betweenReportsMs);
      }
    });
    const life = pause(this.#random() * longestLifeMs);
    const looked = this.#lookAt(service, news);
    // The kill falls where it falls, also into the looking, which is then done again in the next life.
    await life;
    over = true;
    process.kill(service.pid, 'SIGKILL');
    this.#kills += 1;
    await Promise.all([...reports, service.stop(), events]);
    this.#service = null;
    this.#news.push(...(await looked));
    await this.#lookAtData();
  }

  /** A last life without a kill: everything ever told is there, and the sweep leaves only what rows name. */
  async conclude(): Promise<void> {
    const before = (await orphans(this.#dataDir)).length;
    const aged = await ageImages(this.#dataDir);
    const service = await this.#start();
    await service.api('PATCH', `/api/streams/${this.#camera}/status/`, { action: 'stop' });
    const left = await this.#lookAt(service, [...this.#told.values()]);
    for (const alert of left) this.#faults.push(`the alert ${alert.alert_id} could not be looked at`);
    for (const id of this.#acknowledged) {
      const response = await fetch(`${service.baseUrl}/api/detections/${id}/`);
      await response.arrayBuffer();
      if (!response.ok) this.#faults.push(`the acknowledged detection ${id} is lost: ${response.status}`);
    }
    const isSwept = (found: readonly string[]) => found.length === 0;
    // What is young is left alone: it may be a write that goes on.
    if (aged) await eventually('only images that rows name', () => orphans(this.#dataDir), isSwept, 60_000);
    await this.stop();
    await this.#lookAtData();
    const { detections, alerts, withoutAlert } = await countRows(this.#dataDir);
    if (withoutAlert > 0) this.#faults.push(`${withoutAlert} detections are without an alert`);
    this.#end = { detections, alerts, orphans: before };
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
    this.#service = null;
  }

  async #start(): Promise<Service> {
    this.#service = await startService({
      dataDir: this.#dataDir,
      env: { ALERT_COOLDOWN_SECONDS: '0' },
    });
    return this.#service;
  }

  /** Resolves when the socket is closed: everything that arrived has been read then. */
  #listen(service: Service): Promise<void> {
    const socket = new WebSocket(`${service.baseUrl.replace('http', 'ws')}/ws/events/`);
    // Of several instances, whoever takes a camera over tells its last alert once more: the former owner may have died
    // before it was told.
    const before = new Set(backendSettings(this.#dataDir).REDIS_URL ? this.#told.keys() : []);
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as EventMessage;
      if (message.type !== 'face_alert' || before.delete(message.alert_id)) return;
      if (this.#told.has(message.alert_id)) this.#faults.push(`the alert ${message.alert_id} was told twice`);
      this.#told.set(message.alert_id, message);
      this.#news.push(message);
    });
    return new Promise((resolve) => {
      // Refused or cut off by the kill: nothing more will come.
      socket.on('error', () => resolve());
      socket.on('close', () => resolve());
    });
  }

  async #reportTo(service: Service, stream_id: string, over: () => boolean): Promise<void> {
    const body = { stream_id, confidence_score: 0.9, image: this.#image };
    try {
      const { id } = await service.api<{ id: string }>('POST', '/api/detections/', body);
      this.#acknowledged.add(id);
    } catch (error) {
      // Cut off by the kill: no answer, no promise. Whatever else fails is a fault.
      if (!over() && !isCutOff(error)) this.#faults.push(`a report failed: ${(error as Error).message}`);
    }
  }

  /** @returns those that could not be looked at, because the service was killed meanwhile. */
  async #lookAt(service: Service, alerts: readonly FaceAlertMessage[]): Promise<FaceAlertMessage[]> {
    for (const [index, alert] of alerts.entries()) {
      try {
        await this.#lookAtOne(service, alert);
      } catch (error) {
        if (isCutOff(error)) return alerts.slice(index);
        throw error;
      }
    }
    return [];
  }

  async #lookAtOne(service: Service, { alert_id, stream_id, snapshot }: FaceAlertMessage): Promise<void> {
    const response = await fetch(`${service.baseUrl}/api/alerts/${alert_id}/`);
    const text = await response.text();
    if (!response.ok) {
      this.#faults.push(`the alert ${alert_id} is lost: ${response.status} ${text}`);
      return;
    }
    const { alert } = JSON.parse(text) as { alert: { stream_id: string; image_url: string | null } };
    if (alert.stream_id !== stream_id) this.#faults.push(`the alert ${alert_id} has changed its stream`);
    if (snapshot === null || alert.image_url === null) {
      this.#faults.push(`the alert ${alert_id} has no image`);
      return;
    }
    for (const path of new Set([snapshot, alert.image_url])) {
      const image = await fetch(service.baseUrl + path);
      const bytes = new Uint8Array(await image.arrayBuffer());
      if (!image.ok) this.#faults.push(`the image of the alert ${alert_id} is lost: ${image.status}`);
      else if (decodeJpeg(bytes).width !== 640)
        this.#faults.push(`${path} is not the picture that was taken`);
    }
  }

  /** While no service runs. */
  async #lookAtData(): Promise<void> {
    const faults = await dataFaults(this.#dataDir);
    this.#faults.push(...faults.map((fault) => `after kill ${this.#kills}: ${fault}`));
  }
}

/** What `fetch` says when the other side is gone. */
function isCutOff(error: unknown): boolean {
  return error instanceof TypeError;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
