// Joins class names; what is false, null or undefined is left out.
// No merging of classes that contradict each other: components take layout classes from outside, no looks.

export function cx(...names: readonly (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(' ');
}
