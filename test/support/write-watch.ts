// Who writes what for which stream, noted by the database itself: whatever the instances believe, this is what happened.
// Noting and asking only; who may write is decided by the fence.

import { type Cluster, nameOf } from './cluster.ts';

export interface NotedWrite {
  readonly table: string;
  readonly streamId: string;
  /** INSTANCE_NAME of whoever wrote, and of the stream's owner at that moment ('' where there was none). */
  readonly writer: string;
  readonly owner: string;
  /** ms since 1970. */
  readonly at: number;
}

const install = `
  create table noted_writes (at double precision, kind text, stream_id text, writer text, owner text);
  create function note_write() returns trigger language plpgsql as $$
    begin
      insert into noted_writes values (
        extract(epoch from clock_timestamp()) * 1000, tg_table_name, new.stream_id,
        current_setting('application_name'),
        coalesce((select instance from stream_owners where stream_id = new.stream_id), ''));
      return new;
    end $$;
  create trigger note_write after insert or update on detections for each row execute function note_write();
  create trigger note_write after insert on alerts for each row execute function note_write();
`;

/** From now on; once for a database whose tables are made. Instances name themselves in their connections (cluster.ts). */
export async function watchWrites(cluster: Cluster): Promise<void> {
  await cluster.rows(install);
}

export async function notedWrites(cluster: Cluster): Promise<NotedWrite[]> {
  const rows = await cluster.rows('select * from noted_writes order by at');
  return rows.map(({ at, kind, stream_id, writer, owner }) => ({
    table: String(kind),
    streamId: String(stream_id),
    writer: String(writer),
    owner: nameOf(String(owner)),
    at: Number(at),
  }));
}

/** What somebody wrote for a stream that was not theirs. */
export async function foreignWrites(cluster: Cluster): Promise<NotedWrite[]> {
  return (await notedWrites(cluster)).filter(({ writer, owner }) => writer !== owner);
}
