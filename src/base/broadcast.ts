// How a part tells its like in the other instances of the service; in a service of one process there is none.
// Types only; the bus between instances is one of these.

export interface Broadcast {
  /** To the others that run at this moment; may be lost. */
  publish(topic: string, message: object): void;
  /** Kept until it can be told; may then come late, and twice. */
  publishLasting(topic: string, message: object): void;
  /** What others publish, which may be of a neighbouring version. @returns ends it. */
  subscribe(topic: string, onMessage: (message: unknown) => void): () => void;
}
