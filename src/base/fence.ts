// The number under which an instance may write for a stream: whoever takes a stream over gets a higher one.
// Types only; the numbers are kept in the database, so that they outlive everything else.

/** What is written with a fence is refused (`FencedOff`) once the stream has been taken over by somebody else. */
export interface Fence {
  readonly streamId: string;
  readonly number: number;
}
