import { type RightsKind, type RoleRights, shortList } from '../../adapters/postgres/rights.js';
import type { Check } from '../../cli/command-context.js';

const NAMES: Readonly<Record<RightsKind, string>> = { worker: 'a worker', api: 'an API', reader: '"verify"' };

/** For which processes the role has all rights; `doctor` does not know for which of them the role is meant. */
export function rightsFinding({ role, missing }: RoleRights): Omit<Check, 'name'> {
  const able = (['worker', 'api', 'reader'] as const).filter((kind) => missing[kind].length === 0);
  const [first] = able;
  const advice = 'run deploy/roles.sql (docs/operations.md, "Roles")';
  if (first === undefined) {
    return { status: 'failed', detail: `the role "${role}" lacks ${shortList(missing.reader)}`, advice };
  }
  const detail = `the role "${role}" has the rights of ${able.map((kind) => NAMES[kind]).join(', ')}`;
  if (first === 'worker') return { status: 'ok', detail };
  const lacking = `${detail}; a worker also needs ${shortList(missing.worker)}`;
  return first === 'api' ? { status: 'ok', detail: lacking } : { status: 'warn', detail: lacking, advice };
}
