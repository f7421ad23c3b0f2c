/** Values of the domain as JSON. */

/** Empty where the instant is none that JavaScript knows: other programs write rows and jobs too. */
export const isoText = (instant: Date): string => (Number.isNaN(instant.getTime()) ? '' : instant.toISOString());

export const isoOrNull = (instant: Date | null | undefined): string | null =>
  instant === null || instant === undefined ? null : isoText(instant);

/** What any client of the queue has stored; nested some thousand levels deep it can be read, but not written. */
export function writable(value: unknown): unknown {
  try {
    return JSON.stringify(value) === undefined ? null : value;
  } catch {
    return '(not shown: nested too deep)';
  }
}
