import { html } from 'ghtml';
import { utc } from './format.js';

/** An instant as a page element: the text for people, the exact time for programs and for who points at it. */
export function timeOf(instant: Date, text: string): string {
  if (Number.isNaN(instant.getTime())) return html`<span>${text}</span>`;
  return html`<time datetime="${instant.toISOString()}" title="${utc(instant)}">${text}</time>`;
}
