// The tables as TypeScript sees them; the same for SQLite and PostgreSQL.
// Types only: how the tables come to be is in migrations.ts.

/**
 * Ids are opaque text. Times are milliseconds since 1970 (bigint), truth values 0 or 1 (smallint), so that rows read
 * the same from every database.
 */
export interface StreamTable {
  id: string;
  name: string;
  description: string;
  /** Without its password, other secrets masked. */
  rtsp_url: string;
  /** The whole address with its secrets, sealed (auth/secrets.ts); null when it has none. */
  rtsp_password: string | null;
  detection_url: string | null;
  detection_password: string | null;
  detection_enabled: number;
  confidence_threshold: number;
  wanted: 'running' | 'stopped';
  last_connected: number | null;
  created_at: number;
}

export interface Schema {
  streams: StreamTable;
}
