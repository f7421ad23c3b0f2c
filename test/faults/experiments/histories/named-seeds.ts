/** Seeds whose histories once found something; they stay in the suite. */
export interface NamedSeed {
  readonly seed: number;
  /** What was wrong, with the product or with the laboratory. */
  readonly what: string;
}

export const NAMED_SEEDS: readonly NamedSeed[] = [
  {
    seed: 105,
    what: "laboratory: an expected id that is no full id is refused as invalid, not as another container's",
  },
  { seed: 26, what: "laboratory: a sweep's running job bears the name of a person whose request came too late for it" },
  {
    seed: 1668,
    what: 'laboratory: of jobs of one game that are live side by side, one may lose the race for its lease each time',
  },
];
