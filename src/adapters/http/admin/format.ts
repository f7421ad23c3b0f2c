/** Times, numbers and text from outside as the page shows them. */
import { html } from 'ghtml';
import { visible } from '../../../domain/text.js';

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A duration in its largest whole unit: `3 hours`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? ['second', 1];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** An instant relative to now: `3 hours ago`, `in 5 minutes`. */
export function relative(instant: Date, now: Date): string {
  const ms = instant.getTime() - now.getTime();
  if (Number.isNaN(ms)) return 'at an unknown time';
  if (Math.abs(ms) < 1_000) return 'now';
  return ms < 0 ? `${durationText(-ms)} ago` : `in ${durationText(ms)}`;
}

/** To the second, in UTC; empty for an invalid `Date`. */
export const utc = (instant: Date): string =>
  Number.isNaN(instant.getTime()) ? '' : `${instant.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** A `time` element: `text` for people, the exact time for programs and as a tooltip. */
export function timeElement(instant: Date, text: string): string {
  if (Number.isNaN(instant.getTime())) return html`<span>${text}</span>`;
  return html`<time datetime="${instant.toISOString()}" title="${utc(instant)}">${text}</time>`;
}

/** Text from outside, with hidden characters made visible and cut to the width of a cell. */
export function cell(text: string, most = 160): string {
  const characters = Array.from(visible(text));
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : characters.join('');
}

export const numberOf = (count: number): string => count.toLocaleString('en-GB');
