/** What an operator has to know of an engine: readiness, `doctor`, the command line and the overview say it alike. */
import { acceptGone, otherEngine } from './decide-gone.js';
import type { EngineRecord } from './engine-ports.js';

/** Why cleanups of the engine are held; each text ends with the command that accepts it. */
export function engineProblems({ name, identity, observed, missing }: EngineRecord): readonly string[] {
  return [
    ...(observed === null ? [] : [otherEngine(name, identity, observed)]),
    ...(missing === 0 ? [] : [missingContainers(name, missing)]),
  ];
}

function missingContainers(engine: string, missing: number): string {
  const [containers, them] = missing === 1 ? ['1 container is', 'it'] : [`${missing} containers are`, 'them'];
  return (
    `the engine ${JSON.stringify(engine)} says that ${containers} gone, and shows no evidence that it ever had ` +
    `${them}; ${acceptGone(engine)}`
  );
}
