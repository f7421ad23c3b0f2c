/** Breaks a copy of the product on purpose and reports which check noticed it: a check that notices nothing proves nothing. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finding, Options, Servers, Store } from '../experiment.js';
import { ENGINE_CHANGES } from '../experiments/engines/engine-changes.js';
import { changeOn } from '../experiments/engines.js';
import { pauseOn, pauseTries } from '../experiments/pause.js';
import { type Change, type PlantedBreak, PLANTED_BREAKS, type Trial } from './planted-breaks.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const STORES: readonly Store[] = ['postgres', 'redis'];

/** One finding for each planted break; a break that its check did not notice is a violation. */
export async function sabotage(servers: Servers, options: Options): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const one of PLANTED_BREAKS) {
    const finding = await tryBreak(one, servers, options);
    options.say(finding.notes?.[0] ?? one.name);
    findings.push(finding);
  }
  return findings;
}

/** Every trial of one planted break, on these stores. */
export async function tryBreak(
  one: PlantedBreak,
  servers: Servers,
  options: Pick<Options, 'lanes' | 'seed' | 'say'>,
  stores: readonly Store[] = STORES,
): Promise<Finding> {
  const broken = brokenCopy(one);
  try {
    return await notice(one, { ...servers, program: broken.program }, options, stores);
  } finally {
    broken.remove();
  }
}

async function notice(
  one: PlantedBreak,
  servers: Servers,
  options: Pick<Options, 'lanes' | 'seed' | 'say'>,
  stores: readonly Store[],
): Promise<Finding> {
  const found: Finding[] = [];
  for (const store of stores) found.push(...(await tryOn(store, one.trials, servers, options)));

  const caught = new Map<string, number>();
  for (const { check } of found.flatMap(({ violations }) => violations))
    caught.set(check, (caught.get(check) ?? 0) + 1);
  const runs = found.reduce((sum, finding) => sum + finding.runs, 0);
  const by = [...caught].map(([check, times]) => `"${check}" ${times} times`).join(', ');
  const what = `${one.name}: ${by === '' ? 'noticed by nothing' : `noticed by ${by}`} in ${runs} runs`;
  return {
    fault: `sabotage: ${one.name}`,
    store: 'both',
    runs,
    violations: caught.has(one.check)
      ? []
      : [{ check: 'a sabotage is noticed', what: `${what}; "${one.check}" must`, seed: options.seed, history: [] }],
    recoveriesMs: [],
    notes: [what],
  };
}

async function tryOn(
  store: Store,
  trials: readonly Trial[],
  servers: Servers,
  options: Pick<Options, 'lanes' | 'seed' | 'say'>,
): Promise<readonly Finding[]> {
  const tries = pauseTries(
    (variant, point) =>
      trials.some((trial) => trial.kind === 'pause' && trial.variant === variant && trial.point === point),
    1,
  );
  const changes = ENGINE_CHANGES.filter(({ name }) =>
    trials.some((trial) => trial.kind === 'engine change' && trial.change === name),
  );
  return [
    ...(tries.length === 0 ? [] : await pauseOn(store, tries, servers, options)),
    ...(changes.length === 0 ? [] : await changeOn([store], changes, servers, options)),
  ];
}

/** A copy of the built program with the change in it, where it finds its packages and its migrations. */
function brokenCopy({ changes }: PlantedBreak): { readonly program: string; readonly remove: () => void } {
  const cache = join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'sabotage-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    symlinkSync(join(ROOT, 'prisma'), join(folder, 'prisma'));
    for (const change of changes) apply(change, join(folder, 'dist'));
  } catch (error) {
    remove();
    throw error;
  }
  return { program: join(folder, 'dist', 'main.js'), remove };
}

function apply({ file, find, replace }: Change, folder: string): void {
  const path = join(folder, file);
  const pieces = readFileSync(path, 'utf8').split(find);
  if (pieces.length !== 2) {
    throw new Error(`${file} has ${pieces.length - 1} times ${JSON.stringify(find)}; exactly once is needed`);
  }
  writeFileSync(path, pieces.join(replace));
}
