/** Ways to break the product on purpose, each by an exact change of one built file, and which check must notice it. */

export interface Change {
  /** Below `dist/`. */
  readonly file: string;
  /** Must stand there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** What is repeated on the broken product: a try of the pause experiment's default run, or a change of the engine. */
export type Trial =
  | { readonly kind: 'pause'; readonly variant: string; readonly point: string }
  | { readonly kind: 'engine change'; readonly change: string };

export interface PlantedBreak {
  readonly name: string;
  readonly changes: readonly Change[];
  readonly trials: readonly Trial[];
  /** The check that must notice it; others may as well. */
  readonly check: string;
}

const paused = (variant: string, point: string): Trial => ({ kind: 'pause', variant, point });
const engineChange = (change: string): Trial => ({ kind: 'engine change', change });

export const PLANTED_BREAKS: readonly PlantedBreak[] = [
  {
    name: 'drop assertHeld',
    changes: [{ file: 'lease/held-lease.js', find: 'if (loss !== undefined)\n', replace: 'if (loss === null)\n' }],
    trials: [paused('lease held by another', 'after the lease')],
    check: 'the holder writes',
  },
  {
    name: 'drop the fence from the compare-and-set',
    changes: [
      {
        file: 'adapters/prisma/runtime-records.js',
        find: 'AND locked.lease_epoch = ${taken.leaseEpoch}::bigint',
        replace: 'AND locked.lease_epoch >= ${taken.leaseEpoch}::bigint',
      },
    ],
    trials: [
      paused('lease held by another', 'before the compare-and-set'),
      paused('second worker inside', 'before the compare-and-set'),
    ],
    check: 'the newest fence wins',
  },
  {
    name: 'force-remove',
    changes: [
      {
        file: 'adapters/docker/container-engine.js',
        find: '.remove({ v: true, abortSignal })',
        replace: '.remove({ v: true, force: true, abortSignal })',
      },
    ],
    trials: [paused('game restarted', 'with the removal on its way'), paused('game restarted', 'job claimed')],
    check: 'no removal is forced',
  },
  {
    name: 'acknowledge the job before the write',
    changes: [
      {
        file: 'adapters/bullmq/worker/processor.js',
        find: 'const outcome = await consumer.consume(delivery, signal);',
        replace:
          'await job.moveToCompleted({}, token, false); const outcome = await consumer.consume(delivery, signal);',
      },
    ],
    trials: [paused('game restarted', 'after the look')],
    check: 'a completed job has done its work',
  },
  {
    name: 'constant lease token',
    changes: [
      {
        file: 'app/random.js',
        find: "return randomBytes(32).toString('base64url');",
        replace: "return randomBytes(0).toString('base64url').padEnd(43, 'x');",
      },
    ],
    trials: [paused('second worker inside', 'after the look'), paused('second worker inside', 'after the removal')],
    check: 'no token twice',
  },
  {
    name: 'never release the lease',
    changes: [{ file: 'lease/with-lease.js', find: 'await release(deps, timing, grant);', replace: '' }],
    trials: [paused('second worker inside', 'after the look')],
    check: 'the lease is free',
  },
  {
    name: "release another holder's lease",
    changes: [
      {
        file: 'adapters/redis/lease-store.js',
        find: "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end",
        replace: "if true then return redis.call('DEL', KEYS[1]) end",
      },
      {
        file: 'adapters/postgres/lease-store.js',
        find: 'token = $2 AND expires_at > now() AND set_config(',
        replace: 'length($2::text) > 0 AND expires_at > now() AND set_config(',
      },
    ],
    trials: [paused('lease held by another', 'before the release'), paused('second worker inside', 'after the look')],
    check: 'the lease stays with its holder',
  },
  {
    name: 'take the record without a new fence',
    changes: [
      {
        file: 'adapters/prisma/runtime-records.js',
        find: 'SET lease_epoch = r.lease_epoch + 1',
        replace: 'SET lease_epoch = r.lease_epoch',
      },
    ],
    trials: [paused('second worker inside', 'after the look')],
    check: 'no fence twice',
  },
  {
    name: 'change the record without its row',
    changes: [
      {
        file: 'adapters/prisma/runtime-records.js',
        find: 'Prisma.sql `FROM marked`',
        replace: 'Prisma.sql `FROM marked WHERE false`',
      },
    ],
    trials: [paused('game restarted', 'job claimed')],
    check: 'one row with each transition',
  },
  {
    name: 'look at the container by its short id',
    changes: [
      {
        file: 'adapters/docker/container-engine.js',
        find: 'docker.getContainer(containerId).inspect(',
        replace: 'docker.getContainer(containerId.slice(0, 12)).inspect(',
      },
    ],
    trials: [paused('game restarted', 'job claimed')],
    check: 'containers are named by full id',
  },
  {
    name: 'identity is not checked',
    changes: [
      {
        file: 'engines/decide-gone.js',
        find: 'return one.engineId === other.engineId && one.rootDir === other.rootDir && one.storageDriver === other.storageDriver;',
        replace: 'return one.engineId !== null && other.engineId !== null;',
      },
    ],
    // Without a removal the break is invisible: the database notes the other identity, and no look of before it counts.
    trials: [engineChange('another engine at the address, from a removal on')],
    check: 'nothing is believed of another engine',
  },
  {
    name: 'evidence is not asked for',
    changes: [
      { file: 'engines/decide-gone.js', find: 'if (facts.goneLooks > LOOKS_COUNTED / 2) {', replace: 'if (false) {' },
      { file: 'engines/decide-gone.js', find: "if (facts.othersSeen === 'never') {", replace: 'if (false) {' },
    ],
    trials: [engineChange('an empty data folder')],
    check: 'nothing is believed of another engine',
  },
];
