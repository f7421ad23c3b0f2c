const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** A span of time as people say it: its largest unit, and one more where that says much: `3 d 4 h`, `12 min`. */
export function shownSpan(ms: number): string {
  if (!Number.isFinite(ms)) return 'ever';
  const largest = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const [unit, unitMs] = UNITS[largest] ?? ['s', 1_000];
  const count = Math.floor(ms / unitMs);
  const [smaller, smallerMs] = UNITS[largest + 1] ?? ['', 1];
  const rest = largest === -1 || count >= 10 || smaller === '' ? 0 : Math.floor((ms % unitMs) / smallerMs);
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${smaller}`;
}
