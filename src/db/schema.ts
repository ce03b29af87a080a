// The tables as TypeScript sees them; the same for SQLite and PostgreSQL.
// Types only: how the tables come to be is in migrations.ts.

import type { AuditAction } from '../base/accounts.ts';
import type { Role } from '../base/identity.ts';

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

export interface DetectionTable {
  id: string;
  stream_id: string;
  /** Null until its alert is raised or extended. Stays when the alert is deleted, so that it is not raised anew. */
  alert_id: string | null;
  timestamp: number;
  last_seen: number;
  confidence_score: number;
  /** Fractions of the frame; all four or none. */
  box_x: number | null;
  box_y: number | null;
  box_width: number | null;
  box_height: number | null;
  /** JSON: points as fractions of the frame. */
  landmarks: string | null;
  frame_width: number | null;
  frame_height: number | null;
  /** Names in the image store; a face only with a frame. */
  frame_image: string | null;
  face_image: string | null;
}

export interface AlertTable {
  id: string;
  stream_id: string;
  /** The first of its detections that is still kept. */
  detection_id: string;
  detections_count: number;
  confidence_score: number;
  timestamp: number;
  /** When it was stored: its cooldown began then. */
  raised_at: number;
  viewed: number;
  /** As they were when it was raised: whoever was told of it finds them there, also when the detection gets better ones. */
  frame_image: string | null;
  face_image: string | null;
}

export interface UserTable {
  id: string;
  /** As it was entered; `username_key` is what makes it unique. */
  username: string;
  username_key: string;
  email: string | null;
  role: Role;
  /** With its parameters (auth/passwords.ts). */
  password_hash: string;
  created_at: number;
  last_login: number | null;
}

/** One sign-in; goes with its user. */
export interface SessionTable {
  id: string;
  user_id: string;
  cookie_hash: string;
  /** 1 once the cookie was presented: a browser is signed in with it. */
  cookie_used: number;
  created_at: number;
  last_used: number;
  expires_at: number;
}

/** Those already used stay for a while, so that the second use of one is noticed. */
export interface RefreshTokenTable {
  hash: string;
  session_id: string;
  created_at: number;
  used_at: number | null;
}

export interface ApiTokenTable {
  id: string;
  name: string;
  role: Role;
  hash: string;
  created_at: number;
  expires_at: number | null;
  last_used: number | null;
  /** Null when its maker is gone, or was no user. */
  created_by: string | null;
}

export interface AuditTable {
  /** In the order of what happened. */
  id: string;
  timestamp: number;
  action: AuditAction;
  /** Names as they were then: the trail outlives users. */
  actor: string | null;
  actor_role: Role | null;
  subject: string | null;
  detail: string | null;
  address: string;
}

/** Which instance holds a stream, and since which takeover; goes with its stream. */
export interface StreamOwnerTable {
  stream_id: string;
  instance: string;
  /** Grows with each takeover, and is above every one before. */
  fence: number;
  claimed_at: number;
}

/** Which steps of the tables older versions of the service can work with. */
export interface SchemaCompatibilityTable {
  step: string;
  /** Services that know this step can work with what `step` made. */
  oldest: string;
}

export interface Schema {
  streams: StreamTable;
  detections: DetectionTable;
  alerts: AlertTable;
  users: UserTable;
  sessions: SessionTable;
  refresh_tokens: RefreshTokenTable;
  api_tokens: ApiTokenTable;
  audit: AuditTable;
  stream_owners: StreamOwnerTable;
  schema_compatibility: SchemaCompatibilityTable;
}
