import { defineConfig } from 'vitest/config';

/** The image and the compose files, as a platform team runs them; apart from the other tests, because of what it needs. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    globalSetup: ['services.ts'],
    reporters: ['default', '../support/closing-line-reporter.ts'],
    // Mostly they wait for containers to be healthy. Each platform is a compose project with a port of its own.
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
