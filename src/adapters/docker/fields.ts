export type Fields = Readonly<Record<string, unknown>>;

/** Anything whose fields may be asked for; what they hold is still to be checked. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of `value`; none where it has none. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}
