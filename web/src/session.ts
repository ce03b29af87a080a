// Who is signed in, for every component below the shell.
// How somebody signs in is in pages/entrance/.

import { createContext, useContext } from 'react';
import type { Me, Role } from './api/types.ts';
import { mayAct } from './role.ts';

export const SessionContext = createContext<Me | null>(null);

export interface SessionView {
  readonly me: Me;
  /** Whether the signed-in user has at least this role: `may('operator')`. */
  readonly may: (needed: Role) => boolean;
}

/** Below the shell only, where somebody is signed in. */
export function useSession(): SessionView {
  const me = useContext(SessionContext);
  if (me === null) throw new Error('Nobody is signed in here.');
  return { me, may: (needed) => mayAct(me.role, needed) };
}
