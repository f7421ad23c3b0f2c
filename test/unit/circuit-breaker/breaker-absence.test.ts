import { expect, it } from 'vitest';
import { createBreakerWorld } from './breaker-world.js';

it('a dependency that went away while the door was open already is back as soon as it answers', async () => {
  const world = createBreakerWorld({ threshold: 2 });
  await world.fails('docker', 2);
  await world.fails('redis', 2);
  await world.answers('redis');
  expect(world.told).toEqual(['docker away', 'redis away', 'redis back after 0']);
  expect((await world.come()).status()).toBe('waiting');
});
