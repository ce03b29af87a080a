// What a role may do, as far as the page shows or hides it; the service decides for itself.

import type { Role } from './api/types.ts';

/** From least to most. */
export const roles: readonly Role[] = ['viewer', 'operator', 'admin'];

/** Whether `role` may do what needs at least `needed`. */
export function mayAct(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}
