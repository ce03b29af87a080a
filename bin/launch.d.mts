// Types of launch.mjs, which is plain JavaScript because it runs on whatever Node is there.
// Declarations only.

export function installWhatIsMissing(): void;
export function buildThePage(): void;
export function nodeCommand(): string[];
export const nodeFlags: readonly string[];
export function launch(entry: string, args: readonly string[]): void;
