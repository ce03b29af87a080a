// The words of the API as the page uses them: types only, all of them from the service's own declarations.

import type { z } from 'zod';
import type { Role } from '../../../src/base/identity.ts';
import type * as accounts from '../../../src/http/account-schemas.ts';
import type { AuditAction } from '../../../src/http/auth-ports.ts';
import type { checkBody, checkReply } from '../../../src/http/camera-check.ts';
import type { cameraReply, serviceReply } from '../../../src/http/performance.ts';
import type * as records from '../../../src/http/record-schemas.ts';
import type * as streams from '../../../src/http/schemas.ts';

export type { EventMessage, FaceAlertMessage } from '../../../src/live/protocol.ts';
export type { AuditAction, Role };

export type Stream = z.output<typeof streams.stream>;
export type StreamStatus = Stream['status'];
export type StreamAction = z.output<typeof streams.statusBody>['action'];
export type NewStream = z.input<typeof streams.createBody>;
export type StreamChange = z.input<typeof streams.patchBody>;
export type StreamReply = z.output<typeof streams.streamReply>;
export type CreatedStreamReply = z.output<typeof streams.createdReply>;
export type StreamStatusReply = z.output<typeof streams.statusReply>;
export type StreamsReply = z.output<typeof streams.listReply>;
export type StreamStats = z.output<typeof streams.statsReply>;

export type CameraCheckRequest = z.input<typeof checkBody>;
export type CameraCheck = z.output<typeof checkReply>;
/** Of the last hour; arrays of the same length, oldest first. */
export type CameraPerformance = z.output<typeof cameraReply>;
export type ServicePerformance = z.output<typeof serviceReply>;

export type Alert = z.output<typeof records.alert>;
export type AlertReply = z.output<typeof records.alertReply>;
export type AlertChangedReply = z.output<typeof records.alertChangedReply>;
export type AlertsChange = z.input<typeof records.alertsBody>;
export type AlertsChangedReply = z.output<typeof records.alertsChangedReply>;
export type AlertsReply = z.output<typeof records.alertsReply>;

export type Detection = z.output<typeof records.detection>;
export type DetectionReply = z.output<typeof records.detectionReply>;
export type DetectionsReply = z.output<typeof records.detectionsReply>;

export type Me = z.output<typeof accounts.meReply>;
export type SignIn = z.input<typeof accounts.loginBody>;
export type SignedInReply = z.output<typeof accounts.signedInReply>;
export type MessageReply = z.output<typeof accounts.messageReply>;
export type NewUser = z.input<typeof accounts.registerBody>;
export type RegisteredReply = z.output<typeof accounts.registeredReply>;
export type OwnPassword = z.input<typeof accounts.ownPasswordBody>;
export type User = z.output<typeof accounts.user>;
export type UserChange = z.input<typeof accounts.userBody>;
export type UserReply = z.output<typeof accounts.userReply>;
export type UsersReply = z.output<typeof accounts.usersReply>;
export type ApiToken = z.output<typeof accounts.apiToken>;
export type NewToken = z.input<typeof accounts.tokenBody>;
export type NewTokenReply = z.output<typeof accounts.newTokenReply>;
export type TokensReply = z.output<typeof accounts.tokensReply>;
export type AuditReply = z.output<typeof accounts.auditReply>;
export type AuditEntry = AuditReply['entries'][number];

/** A page of a list: at most `limit` (500) rows after `cursor`. */
export interface Page {
  readonly limit?: number;
  readonly cursor?: string | undefined;
}

interface Range {
  /** ISO 8601; `since` is inside, `until` is not. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export interface AlertFilter extends Range {
  readonly stream_id?: string | undefined;
  readonly viewed?: boolean | undefined;
}

export interface DetectionFilter extends Range {
  readonly alert_id?: string | undefined;
  readonly stream_id?: string | undefined;
  /** 0–1 */
  readonly min_confidence?: number | undefined;
}

export interface AuditFilter extends Range {
  readonly action?: AuditAction | undefined;
  readonly actor?: string | undefined;
}
