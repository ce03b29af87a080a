// The port to what lets one of several instances at a time do something, as a lock in the database they share.
// No I/O, and no lock of this folder's own.

/**
 * Runs the task unless another instance is running one of the same name. Rejects with what the task rejects with, or when
 * it cannot be found out. @returns whether it ran.
 */
export type Alone = (name: string, task: () => Promise<void>) => Promise<boolean>;

/** For a service of one instance. */
export const always: Alone = async (_, task) => {
  await task();
  return true;
};
