/** Enough to hide the way there and back; no more than the connections there are, for whom others wait too. */
const LANES = 4;

/** Like `Promise.all` over a map, but few at a time: a pool refuses those that wait too long for a connection. */
export async function inLanes<Item, Answer>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) answers[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return answers;
}
