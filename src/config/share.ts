/** `50%` or `0.5` as a fraction above 0 and at most 1; undefined for anything else. */
export function parseShare(text: string): number | undefined {
  const { digits = '', percent } = /^(?<digits>\d{1,3}(?:\.\d{1,6})?)(?<percent>%)?$/.exec(text)?.groups ?? {};
  if (digits === '') return undefined;
  const share = percent === undefined ? Number(digits) : Number(digits) / 100;
  return share > 0 && share <= 1 ? share : undefined;
}

/** A share of which `parseShare` is the inverse, in percent. */
export const formatShare = (share: number): string => `${Number((share * 100).toFixed(6))}%`;
