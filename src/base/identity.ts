// Who somebody is to the service, and what a role may do: words shared by REST, WebSocket and sign-in.
// No passwords, no tokens, no storage; how somebody becomes an identity is in auth/.

/** From least to most: watch and read; streams and alerts as well; everything. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** What was presented: a browser's cookie, an access token, an API token, or nothing since sign-in is switched off. */
export type CredentialKind = 'cookie' | 'access' | 'api_token' | 'none';

export interface Identity {
  readonly kind: CredentialKind;
  /** The user; null for an API token and with sign-in switched off. */
  readonly userId: string | null;
  /** Name of the user or of the API token. */
  readonly name: string;
  readonly role: Role;
  /** What ends when it is signed out or revoked: the sign-in session, or the API token; null with sign-in switched off. */
  readonly sessionId: string | null;
}

/** Everyone, with `AUTH=off`. */
export const everyone: Identity = Object.freeze({
  kind: 'none',
  userId: null,
  name: 'everyone',
  role: 'admin',
  sessionId: null,
});

/** Whether `role` may do what needs at least `needed`. */
export function mayAct(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}
