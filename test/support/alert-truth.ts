// Detections reported without end to a service of several instances, and whether every one of them had its consequences:
// stored, alerted once for each cooldown, told once to everybody who was listening.

import type { Cluster } from './cluster.ts';
import { EventLog } from './event-log.ts';
import type { Service } from './service.ts';

export interface AlertTruthOptions {
  /** Streams that are reported of. */
  readonly streams: readonly string[];
  readonly betweenMs: number;
  /** The service's ALERT_COOLDOWN_SECONDS. */
  readonly cooldownMs: number;
}

/** Who was there so shortly before or after an alert may or may not have heard of it. */
const edgeMs = 3_000;
/** Clocks are read one after the other. */
const toleranceMs = 50;

export class AlertTruth {
  /** Ids of detections whose 201 arrived. */
  readonly acknowledged = new Set<string>();
  /** Answers other than that, by how often they came. */
  readonly refusals = new Map<string, number>();
  readonly #cluster: Cluster;
  readonly #options: AlertTruthOptions;
  readonly #logs = new Map<number, EventLog>();
  readonly #endedLogs: [number, EventLog][] = [];
  readonly #reporting: Promise<unknown>;
  #image = '';
  #over = false;

  private constructor(cluster: Cluster, options: AlertTruthOptions, image: string) {
    this.#cluster = cluster;
    this.#options = options;
    this.#image = image;
    this.#reporting = Promise.all(options.streams.map((id, index) => this.#report(id, index)));
  }

  /** The image reported is one of the first stream's. */
  static async start(cluster: Cluster, options: AlertTruthOptions): Promise<AlertTruth> {
    const response = await cluster.any.request('GET', `/api/streams/${options.streams[0]}/snapshot.jpg`);
    if (!response.ok) throw new Error(`no snapshot: ${response.status} ${await response.text()}`);
    const image = Buffer.from(await response.arrayBuffer()).toString('base64');
    const truth = new AlertTruth(cluster, options, image);
    for (const index of cluster.running) await truth.listen(index);
    return truth;
  }

  /** To an instance that was started since. */
  async listen(index: number): Promise<void> {
    const former = this.#logs.get(index);
    if (former) this.#endedLogs.push([index, former]);
    this.#logs.set(index, await EventLog.open(this.#cluster.instance(index)));
  }

  /** Reports come to an end; what was on its way has been answered. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#reporting;
  }

  /** After `end`: sentences, none of which may be. */
  async faults(): Promise<string[]> {
    const faults: string[] = [];
    const detections = await this.#cluster.rows('select id, alert_id from detections');
    const alertOf = new Map(detections.map(({ id, alert_id }) => [id, alert_id]));
    for (const id of this.acknowledged) {
      if (!alertOf.has(id)) faults.push(`the acknowledged detection ${id} is lost`);
      else if (alertOf.get(id) === null) faults.push(`the detection ${id} is without an alert`);
    }
    const alerts = (
      await this.#cluster.rows('select id, stream_id, raised_at from alerts order by raised_at')
    ).map(({ id, stream_id, raised_at }) => ({
      id: String(id),
      streamId: String(stream_id),
      raisedAt: Number(raised_at),
    }));
    const last = new Map<string, number>();
    for (const { id, streamId, raisedAt } of alerts) {
      const since = raisedAt - (last.get(streamId) ?? Number.NEGATIVE_INFINITY);
      if (since < this.#options.cooldownMs - toleranceMs)
        faults.push(`the alert ${id} is doubled: ${since} ms after another one`);
      last.set(streamId, raisedAt);
    }
    for (const [index, log] of [...this.#endedLogs, ...this.#logs])
      faults.push(...toldFaults(index, log, alerts));
    return faults;
  }

  close(): void {
    for (const [, log] of [...this.#endedLogs, ...this.#logs]) log.close();
  }

  async #report(stream_id: string, turn: number): Promise<void> {
    for (let count = turn; !this.#over; count++) {
      const { running } = this.#cluster;
      const index = running[count % running.length];
      if (index !== undefined) await this.#reportTo(this.#cluster.instance(index), stream_id);
      await new Promise((resolve) => setTimeout(resolve, this.#options.betweenMs));
    }
  }

  async #reportTo(service: Service, stream_id: string): Promise<void> {
    const body = { stream_id, confidence_score: 0.9, image: this.#image };
    try {
      const response = await service.request('POST', '/api/detections/', body);
      const reply = (await response.json()) as { id: string; code?: string };
      if (response.status === 201) this.acknowledged.add(reply.id);
      else this.#refused(`${response.status} ${reply.code}`);
    } catch (error) {
      // Cut off: no answer, no promise.
      if (!(error instanceof TypeError)) throw error;
      this.#refused('cut off');
    }
  }

  #refused(why: string): void {
    this.refusals.set(why, (this.refusals.get(why) ?? 0) + 1);
  }
}

function toldFaults(
  index: number,
  log: EventLog,
  alerts: readonly { readonly id: string; readonly raisedAt: number }[],
): string[] {
  const faults: string[] = [];
  const told = new Set<string>();
  for (const { alert } of log.alerts) {
    if (told.has(alert.alert_id)) faults.push(`instance ${index} told the alert ${alert.alert_id} twice`);
    told.add(alert.alert_id);
  }
  for (const { id, raisedAt } of alerts) {
    const wasThere =
      raisedAt > log.since + edgeMs && raisedAt < (log.until ?? Number.POSITIVE_INFINITY) - edgeMs;
    if (wasThere && !told.has(id)) faults.push(`instance ${index} did not tell the alert ${id}`);
  }
  return faults;
}
