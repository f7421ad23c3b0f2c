/** A job's fields as Redis keeps them: JSON text, written by any client. */
export interface StoredJson {
  readonly data: string | null;
  readonly opts: string | null;
  readonly progress: string | null;
  readonly parent: string | null;
}

const KEPT_CHARACTERS = 500;

export interface Mended {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/**
 * What to store instead of fields that do not parse, or undefined when all do. BullMQ cannot hand such a job to its
 * processor: it would be claimed, lost and found stalled for ever. Mended, it is a job with a bad payload.
 */
export function repairJson({ data, opts, progress, parent }: StoredJson): Mended | undefined {
  const set: Record<string, string> = {};
  if (!readable(data))
    set['data'] = JSON.stringify({ unreadable: (data ?? '').slice(0, KEPT_CHARACTERS).toWellFormed() });
  if (!readable(opts) || !isObject(opts)) set['opts'] = '{}';
  if (!readable(progress)) set['progress'] = '0';
  // BullMQ's scripts parse it too, whatever stands there.
  const remove = readable(parent) ? [] : ['parent', 'parentKey'];
  return Object.keys(set).length + remove.length === 0 ? undefined : { set, remove };
}

function readable(json: string | null): boolean {
  if (json === null || json === '') return true;
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}

const isObject = (json: string | null): boolean => json === null || json === '' || json.trimStart().startsWith('{');
