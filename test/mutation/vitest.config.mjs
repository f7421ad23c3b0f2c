import { defineConfig } from 'vitest/config';

/** The core's own unit tests alone: a test of something else that fails by chance is no proof. */
export default defineConfig({
  test: {
    include: ['test/unit/{adapters/docker,async,circuit-breaker,cleanup,domain,jobs,lease,retention}/**/*.test.ts'],
  },
});
