import { defineConfig } from 'vitest/config';

/** The image and the compose files, as a platform team runs them; apart from the other tests, because of what it needs. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    globalSetup: ['services.ts'],
    reporters: ['default', '../support/closing-line-reporter.ts'],
    // One engine, one machine: what is measured here shares it with nobody.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
