const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);

/** Milliseconds of `500ms`, `30s`, `5m` or `1h`; undefined for any other text. */
export function parseDurationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
  const unitMs = UNITS_MS.get(unit ?? '');
  return unitMs === undefined ? undefined : Math.round(Number(amount) * unitMs);
}

/** The shortest text that reads back as the same whole number of milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const [unit = 'ms', unitMs = 1] = Array.from(UNITS_MS).find(([, unitMs]) => ms % unitMs === 0) ?? [];
  return `${ms / unitMs}${unit}`;
}

const SPAN_UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** A span of time for people: its largest unit, and the next one when the count is small: `3 d 4 h`, `12 min`. */
export function shownSpan(ms: number): string {
  if (!Number.isFinite(ms)) return 'ever';
  const largest = SPAN_UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const [unit, unitMs] = SPAN_UNITS[largest] ?? ['s', 1_000];
  const count = Math.floor(ms / unitMs);
  const [smaller, smallerMs] = SPAN_UNITS[largest + 1] ?? ['', 1];
  const rest = largest === -1 || count >= 10 || smaller === '' ? 0 : Math.floor((ms % unitMs) / smallerMs);
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${smaller}`;
}
