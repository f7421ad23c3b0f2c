import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

interface Harness {
  readonly close: () => Promise<void>;
  /** Empties the stores of the harness. */
  readonly clear?: () => Promise<void>;
}

/** A server that runs for a whole suite; `open` gives each test an empty space in it. */
export interface Harnesses<H> {
  readonly open: () => Promise<H>;
  readonly close: () => Promise<void>;
}

/** Opens one harness for all tests of the surrounding `describe`, passes it to `use`, and clears it before each test. */
export function openForAllTests<H extends Harness>(open: () => Promise<H>, use: (harness: H) => void): void {
  let harness: H;
  beforeAll(async () => {
    harness = await open();
    use(harness);
  });
  afterAll(() => harness.close());
  beforeEach(() => harness.clear?.());
}

/** Opens a new harness for each test of the surrounding `describe` and passes it to `use`. */
export function openForEachTest<H extends Harness>(
  start: () => Promise<Harnesses<H>>,
  use: (harness: H) => void,
): void {
  let harnesses: Harnesses<H>;
  let harness: H;
  beforeAll(async () => {
    harnesses = await start();
  });
  afterAll(() => harnesses.close());
  beforeEach(async () => {
    harness = await harnesses.open();
    use(harness);
  });
  afterEach(() => harness.close());
}
