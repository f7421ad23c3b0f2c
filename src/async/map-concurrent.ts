/**
 * Like `Promise.all` over a map, with at most `limit` calls of `work` at a time. Answers stand in the order of the items.
 * Rejects with the first failure once the calls under way have settled; after a failure no further call begins.
 */
export async function mapConcurrent<Item, Answer>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item, index: number) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const failures: unknown[] = [];
  const rest = Array.from(items).entries();
  const runNext = async (): Promise<void> => {
    for (const [index, item] of rest) {
      if (failures.length > 0) return;
      try {
        answers[index] = await work(item, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, runNext));
  if (failures.length > 0) throw failures[0];
  return answers;
}
