// When a detection wakes somebody: the first one of a quiet stream does, those within the cooldown join its alert.
// Pure; one owner per stream asks, stores, and tells back: an alert that could not be stored starts no cooldown.

/** Times in ms, monotonic: a wall clock that jumps neither doubles nor suppresses an alert. */
export type AlertState =
  | { readonly kind: 'quiet' }
  | { readonly kind: 'cooling'; readonly alertId: string; readonly until: number };

export type AlertDecision =
  | { readonly action: 'raise' }
  | { readonly action: 'extend'; readonly alertId: string };

export const quiet: AlertState = { kind: 'quiet' };

/**
 * @param detectedAt when the detection was made: one from within the cooldown joins that alert, however late it is
 * stored. So two alerts are always at least a cooldown apart.
 */
export function decideAlert(state: AlertState, detectedAt: number): AlertDecision {
  return state.kind === 'cooling' && detectedAt < state.until
    ? { action: 'extend', alertId: state.alertId }
    : { action: 'raise' };
}

/** The alert is stored and sent: its cooldown starts now. */
export function afterAlert(alertId: string, now: number, cooldownMs: number): AlertState {
  return cooldownMs === 0 ? quiet : { kind: 'cooling', alertId, until: now + cooldownMs };
}

export interface LastAlert {
  readonly id: string;
  /** When it was stored, ms since 1970. */
  readonly raisedAt: number;
}

/**
 * The state after a restart. The wall clock is all that is left to judge by, and it may have jumped: an alert that
 * seems to come from the future is taken as just raised, so that silence never lasts longer than one cooldown.
 */
export function restoredAlert(
  last: LastAlert | null,
  {
    now,
    wallTime,
    cooldownMs,
  }: { readonly now: number; readonly wallTime: number; readonly cooldownMs: number },
): AlertState {
  if (last === null) return quiet;
  const remaining = Math.min(cooldownMs, cooldownMs - (wallTime - last.raisedAt));
  return remaining > 0 ? { kind: 'cooling', alertId: last.id, until: now + remaining } : quiet;
}
