/** The environment of this process, and the names in it that are probably misspelt. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment this process was started with. It is read here and in no other place. */
export const processEnvironment = (): Environment => process.env;

const PREFIX = 'RTMANAGER_';

// Kubernetes puts these into every pod of a namespace that has a Service called "rtmanager".
const SERVICE_LINK = /^RTMANAGER_(?:SERVICE_(?:HOST|PORT)|PORT)(?:_|$)/;

/**
 * One line for each `RTMANAGER_` variable that is not a setting. A misspelt limit would otherwise be ignored without a
 * message.
 */
export function unknownNameLines(present: readonly string[], settings: readonly string[]): readonly string[] {
  const known = settings.filter((name) => name.startsWith(PREFIX));
  return present
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !SERVICE_LINK.test(name))
    .map((name) => {
      const nearest = nearestOf(name, known);
      const advice = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean ${nearest}?`;
      return `${name}: no setting has this name; ${advice}`;
    });
}

function nearestOf(name: string, known: readonly string[]): string | undefined {
  const words = name.split('_');
  const abbreviated = known.filter((candidate) => words.every((word) => candidate.split('_').includes(word)));
  if (abbreviated.length === 1) return abbreviated[0];
  const ranked = known
    .map((candidate) => ({
      candidate,
      distance: editDistance(name.slice(PREFIX.length), candidate.slice(PREFIX.length)),
    }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, best.candidate.length / 4) ? best.candidate : undefined;
}

/** Levenshtein: how many letters must be added, removed or replaced to turn one text into the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, letter] of Array.from(from).entries()) {
    const current = [row + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const exchanged = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(exchanged, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
