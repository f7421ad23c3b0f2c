/** The page for whoever is called at night: what is wrong on top, then the numbers, then what happened last. */
import { html } from 'ghtml';
import type { DeadLetter } from '../../../jobs/dead-letters.js';
import type { LoggedOperation } from '../../../domain/record-queries.js';
import { BOARD_PATH } from './queues-dashboard.js';
import { type Concern, concernsOf } from './alerts.js';
import type { AdminFacts, Read } from './load-dashboard.js';
import { tiles } from './tiles.js';
import { timeOf } from './time.js';
import { cell, numberOf, relative, utc } from './format.js';

const REFRESH_S = 30;
const DATABASE_CLOCK = "the database's clock";
const OUR_CLOCK = "this machine's clock, as are all ages: the database's could not be read";

/** @param refreshes whether the page asks for itself again after a while */
export function adminPage(facts: AdminFacts, refreshes: boolean): string {
  const asOf = 'value' in facts.summary ? facts.summary.value.asOf : undefined;
  const now = asOf ?? facts.madeAt;
  const concerns = concernsOf(facts);
  const refresh = refreshes ? `<meta http-equiv="refresh" content="${REFRESH_S}">` : '';
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        !${refresh}
        <title>${titleOf(concerns)}</title>
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
          !${health(facts, concerns)} !${tiles(facts, now)} !${deadLetters(facts, now)} !${operations(facts, now)}
        </main>
        <footer>Made at ${utc(now)}, by ${asOf === undefined ? OUR_CLOCK : DATABASE_CLOCK}.</footer>
      </body>
    </html>`;
}

const TITLES = { broken: 'needs attention', waiting: 'something waits', well: 'all is well' } as const;
const HEADINGS = { broken: 'Needs attention', waiting: 'At work, but something waits', well: 'All is well' } as const;

const moodOf = (concerns: readonly Concern[]): keyof typeof TITLES => concerns[0]?.level ?? 'well';

const titleOf = (concerns: readonly Concern[]): string => {
  const count = concerns.length === 0 ? '' : `(${concerns.length}) `;
  return `${count}runtime-cleanup: ${TITLES[moodOf(concerns)]}`;
};

function health({ checks }: AdminFacts, concerns: readonly Concern[]): string {
  const mood = moodOf(concerns);
  const well = checks.filter(({ ok }) => ok);
  return html`<section class="health ${mood}" aria-labelledby="health">
    <h2 id="health">${HEADINGS[mood]}</h2>
    !${
      concerns.length === 0
        ? ''
        : html`<ul>
            !${concerns.map(concernLine)}
          </ul>`
    }
    !${well.length === 0 ? '' : html`<p>In working order: ${well.map(({ name }) => cell(name, 40)).join(', ')}.</p>`}
  </section>`;
}

const concernLine = ({ about, detail }: Concern): string => html`<li><strong>${about}</strong> ${detail}</li>`;

const missing = (read: Read<unknown>): string =>
  'missing' in read ? html`<p class="missing">Not available: ${cell(read.missing, 300)}</p>` : '';

function deadLetters({ codes, letters }: AdminFacts, now: Date): string {
  const counts = 'value' in codes ? Object.entries(codes.value) : [];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return html`<section aria-labelledby="letters">
    <h2 id="letters">Dead letters <span class="count">${'value' in codes ? numberOf(total) : '?'}</span></h2>
    !${missing(codes)}
    <ul class="codes">
      !${counts.map(([code, count]) => html`<li><code>${cell(code, 40)}</code> <b>${numberOf(count)}</b></li>`)}
    </ul>
    !${missing(letters)} !${'value' in letters ? letterTable(letters.value, now) : ''}
  </section>`;
}

function letterTable(letters: readonly DeadLetter[], now: Date): string {
  if (letters.length === 0) return html`<p class="calm">None: every request so far came to its end.</p>`;
  return html`<div class="wide">
    <table>
      <caption>
        The newest. Mend what the message names, then retry it in the queue or with runtime-cleanup dead-letters replay.
      </caption>
      <thead>
        <tr>
          <th scope="col">Game</th>
          <th scope="col">Code</th>
          <th scope="col">Message</th>
          <th scope="col">Failed</th>
          <th scope="col">Job</th>
        </tr>
      </thead>
      <tbody>
        !${letters.map(
          (letter) =>
            html`<tr>
              <th scope="row"><bdi>${cell(letter.gameId, 80)}</bdi></th>
              <td><code>${letter.code}</code></td>
              <td><bdi>${cell(letter.message)}</bdi></td>
              <td>!${timeOf(letter.failedAt, relative(letter.failedAt, now))}</td>
              <td><a href="${jobLink(letter.jobId)}">${cell(letter.jobId, 20)}</a></td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const jobLink = (jobId: string): string =>
  `${BOARD_PATH}/queue/runtime-cleanup/${encodeURIComponent(jobId.toWellFormed())}`;

function operations({ operations: read }: AdminFacts, now: Date): string {
  return html`<section aria-labelledby="operations">
    <h2 id="operations">Last operations</h2>
    !${missing(read)} !${'value' in read ? operationTable(read.value, now) : ''}
  </section>`;
}

function operationTable(rows: readonly LoggedOperation[], now: Date): string {
  if (rows.length === 0) return html`<p class="calm">Nothing has been done yet.</p>`;
  return html`<div class="wide">
    <table>
      <caption>
        From the operation log, newest first.
      </caption>
      <thead>
        <tr>
          <th scope="col">Game</th>
          <th scope="col">Outcome</th>
          <th scope="col">Message</th>
          <th scope="col">Source</th>
          <th scope="col">Finished</th>
        </tr>
      </thead>
      <tbody>
        !${rows.map(
          (row) =>
            html`<tr>
              <th scope="row"><bdi>${cell(row.gameId, 80)}</bdi></th>
              <td class="${row.outcome === 'success' ? 'success' : 'failure'}">
                ${cell(row.outcome, 40)}${row.errorCode === '' ? '' : ', '}<code>${cell(row.errorCode, 40)}</code>
              </td>
              <td><bdi>${cell(row.errorMessage)}</bdi></td>
              <td><code>${cell(row.opSource, 40)}</code></td>
              <td>!${timeOf(row.finishedAt, relative(row.finishedAt, now))}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
