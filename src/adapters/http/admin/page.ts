/** The overview for operators: alerts first, then the numbers, then the newest dead letters and operations. */
import { html } from 'ghtml';
import type { DeadLetter } from '../../../jobs/dead-letters.js';
import { BOARD_PATH } from '../app.js';
import { alertSection, alertsOf, titleOf } from './alerts.js';
import { cell, numberOf, relative, timeElement, utc } from './format.js';
import type { Dashboard, Part } from './load-dashboard.js';
import { tiles } from './tiles.js';
import type { LoggedOperation } from '../../../domain/record-queries.js';

const REFRESH_S = 30;
const DATABASE_CLOCK = "the database's clock";
const LOCAL_CLOCK = "this machine's clock, and so are all ages, because the database's clock could not be read";

interface PageOptions {
  /** Whether the page reloads itself. */
  readonly refreshes: boolean;
}

export function adminPage(dashboard: Dashboard, { refreshes }: PageOptions): string {
  const asOf = 'value' in dashboard.summary ? dashboard.summary.value.asOf : undefined;
  const now = asOf ?? dashboard.madeAt;
  const alerts = alertsOf(dashboard);
  const refresh = refreshes ? `<meta http-equiv="refresh" content="${REFRESH_S}">` : '';
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        !${refresh}
        <title>${titleOf(alerts)}</title>
        <link rel="stylesheet" href="/admin/style.css" />
      </head>
      <body>
        <header>
          <h1>runtime-cleanup</h1>
          <nav aria-label="Pages">
            <a href="/admin" aria-current="page">Overview</a>
            <a href="${BOARD_PATH}">Queues</a>
            <a href="${refreshes ? '/admin?refresh=off' : '/admin'}">${refreshes ? 'Stop refreshing' : 'Refresh'}</a>
          </nav>
        </header>
        <main>
          !${alertSection(dashboard, alerts)} !${tiles(dashboard, now)} !${deadLetterSection(dashboard, now)}
          !${operationSection(dashboard, now)}
        </main>
        <footer>Made at ${utc(now)}, by ${asOf === undefined ? LOCAL_CLOCK : DATABASE_CLOCK}.</footer>
      </body>
    </html>`;
}

const unavailable = (part: Part<unknown>): string =>
  'unavailable' in part ? html`<p class="unavailable">Not available: ${cell(part.unavailable, 300)}</p>` : '';

interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  /** Each one a `tr` element. */
  readonly rows: readonly string[];
}

const table = ({ caption, columns, rows }: Table): string =>
  html`<div class="wide">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          !${columns.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        !${rows}
      </tbody>
    </table>
  </div>`;

function deadLetterSection({ codes, deadLetters }: Dashboard, now: Date): string {
  const counts = 'value' in codes ? Object.entries(codes.value) : [];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return html`<section aria-labelledby="letters">
    <h2 id="letters">Dead letters <span class="count">${'value' in codes ? numberOf(total) : '?'}</span></h2>
    !${unavailable(codes)}
    <ul class="codes">
      !${counts.map(([code, count]) => html`<li><code>${cell(code, 40)}</code> <b>${numberOf(count)}</b></li>`)}
    </ul>
    !${unavailable(deadLetters)} !${'value' in deadLetters ? deadLetterTable(deadLetters.value, now) : ''}
  </section>`;
}

function deadLetterTable(letters: readonly DeadLetter[], now: Date): string {
  if (letters.length === 0) return html`<p class="empty">There are no dead letters.</p>`;
  return table({
    caption:
      'The newest. Repair what the message names, then retry the job in the queue or with runtime-cleanup dead-letters replay.',
    columns: ['Game', 'Code', 'Message', 'Failed', 'Job'],
    rows: letters.map(
      (letter) =>
        html`<tr>
          <th scope="row"><bdi>${cell(letter.gameId, 80)}</bdi></th>
          <td><code>${letter.code}</code></td>
          <td><bdi>${cell(letter.message)}</bdi></td>
          <td>!${timeElement(letter.failedAt, relative(letter.failedAt, now))}</td>
          <td><a href="${jobLink(letter.jobId)}">${cell(letter.jobId, 20)}</a></td>
        </tr>`,
    ),
  });
}

const jobLink = (jobId: string): string =>
  `${BOARD_PATH}/queue/runtime-cleanup/${encodeURIComponent(jobId.toWellFormed())}`;

function operationSection({ operations }: Dashboard, now: Date): string {
  return html`<section aria-labelledby="operations">
    <h2 id="operations">Last operations</h2>
    !${unavailable(operations)} !${'value' in operations ? operationTable(operations.value, now) : ''}
  </section>`;
}

function operationTable(operations: readonly LoggedOperation[], now: Date): string {
  if (operations.length === 0) return html`<p class="empty">There are no operations yet.</p>`;
  return table({
    caption: 'From the operation log, newest first.',
    columns: ['Game', 'Outcome', 'Message', 'Source', 'Finished'],
    rows: operations.map(
      (row) =>
        html`<tr>
          <th scope="row"><bdi>${cell(row.gameId, 80)}</bdi></th>
          <td class="${row.outcome === 'success' ? 'success' : 'failure'}">
            ${cell(row.outcome, 40)}${row.errorCode === '' ? '' : ', '}<code>${cell(row.errorCode, 40)}</code>
          </td>
          <td><bdi>${cell(row.errorMessage)}</bdi></td>
          <td><code>${cell(row.opSource, 40)}</code></td>
          <td>!${timeElement(row.finishedAt, relative(row.finishedAt, now))}</td>
        </tr>`,
    ),
  });
}
