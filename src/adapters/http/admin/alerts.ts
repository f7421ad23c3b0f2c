import { html } from 'ghtml';
import { cell, numberOf } from './format.js';
import type { Dashboard } from './load-dashboard.js';

/** `broken`: the service cannot do all of its work. `waiting`: it can, but an operator has something to do. */
export interface Alert {
  readonly level: 'broken' | 'waiting';
  readonly about: string;
  readonly detail: string;
}

/** What needs an operator, the worst first. */
export function alertsOf({ checks, summary, codes }: Pick<Dashboard, 'checks' | 'summary' | 'codes'>) {
  const alerts: Alert[] = checks
    .filter(({ ok }) => !ok)
    .map(({ name, detail }) => ({ level: 'broken', about: cell(name, 40), detail: cell(detail, 600) }));
  const hasRetentionAlert = alerts.some(({ about }) => about === 'retention');
  if ('value' in summary && summary.value.refusal !== null && !hasRetentionAlert) {
    alerts.push({ level: 'waiting', about: 'next sweep', detail: cell(summary.value.refusal, 600) });
  }
  const counts = 'value' in codes ? Object.values(codes.value) : [];
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > 0) {
    const detail = `${numberOf(total)} to be replayed after a repair, or purged`;
    alerts.push({ level: 'waiting', about: total === 1 ? 'dead letter' : 'dead letters', detail });
  }
  return alerts;
}

const TITLES = { broken: 'needs attention', waiting: 'works, with open tasks', ok: 'everything works' } as const;
const HEADINGS = { broken: 'Needs attention', waiting: 'Works, with open tasks', ok: 'Everything works' } as const;

const stateOf = (alerts: readonly Alert[]): keyof typeof TITLES => alerts[0]?.level ?? 'ok';

/** Starts with the number of alerts, so that a browser's tab shows it. */
export function titleOf(alerts: readonly Alert[]): string {
  const count = alerts.length === 0 ? '' : `(${alerts.length}) `;
  return `${count}runtime-cleanup: ${TITLES[stateOf(alerts)]}`;
}

export function alertSection({ checks }: Pick<Dashboard, 'checks'>, alerts: readonly Alert[]): string {
  const state = stateOf(alerts);
  const passed = checks.filter(({ ok }) => ok);
  return html`<section class="health ${state}" aria-labelledby="health">
    <h2 id="health">${HEADINGS[state]}</h2>
    !${
      alerts.length === 0
        ? ''
        : html`<ul>
            !${alerts.map(alertLine)}
          </ul>`
    }
    !${passed.length === 0 ? '' : html`<p>Checks passed: ${passed.map(({ name }) => cell(name, 40)).join(', ')}.</p>`}
  </section>`;
}

const alertLine = ({ about, detail }: Alert): string => html`<li><strong>${about}</strong> ${detail}</li>`;
