import { describe, expect, it } from 'vitest';
import type { Dashboard } from '../../../../../src/adapters/http/admin/load-dashboard.js';
import { adminPage } from '../../../../../src/adapters/http/admin/page.js';
import { aDashboard, aDeadLetter, ago, anEngine, anOperation } from './dashboard-fixture.js';
import { refusedSweep } from '../../../../support/records.js';

const DAY_MS = 24 * 3_600_000;
const page = (over: Partial<Dashboard> = {}): string => adminPage(aDashboard(over), { refreshes: true });

/** The text of the page, without its tags. */
const textOf = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('&#39;', "'");

/** The tags that are not closed, or not in order. */
function unclosed(html: string): readonly string[] {
  const open: string[] = [];
  for (const [, slash, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
    if (['meta', 'link'].includes(name)) continue;
    if (slash === '') open.push(name);
    else if (open.at(-1) === name) open.pop();
    else open.push(`/${name}`);
  }
  return open;
}

describe('the alerts of the page', () => {
  it('the page reports that everything works when every check passes', () => {
    const html = page();
    expect(html).toContain('<title>runtime-cleanup: everything works</title>');
    expect(textOf(html)).toContain('Everything works Checks passed: database, queue. ');
  });

  it('the page names a failed check with its detail, and the passed checks', () => {
    const html = page({
      checks: [
        { name: 'database', ok: true, detail: '' },
        { name: 'queue', ok: false, detail: 'no answer within 900 ms' },
      ],
    });
    expect(html).toContain('<title>(1) runtime-cleanup: needs attention</title>');
    expect(textOf(html)).toContain('Needs attention queue no answer within 900 ms Checks passed: database. ');
  });

  it('the page names the dead letters while every check passes', () => {
    const text = textOf(page({ codes: { value: { conflict: 1_200, not_found: 34 } } }));
    expect(text).toContain('Works, with open tasks dead letters 1,234 to be replayed after a repair, or purged');
  });

  it('the page names a sweep that would be refused once, with the option that allows it', () => {
    const { summary } = aDashboard();
    if (!('value' in summary)) throw new Error('the dashboard has a summary');
    const refused = { value: { ...summary.value, refusal: 'too many are due; "--max-share 80%" allows it' } };
    const html = page({ summary: refused });
    expect(html).toContain('&#34;--max-share 80%&#34; allows it');
    const both = page({ summary: refused, checks: [{ name: 'retention', ok: false, detail: 'the last one refused' }] });
    expect(both).not.toContain('--max-share');
  });
});

describe('the numbers of the page', () => {
  it('the page shows runtimes, jobs and sweeps by the clock of the database', () => {
    const text = textOf(page());
    for (const line of [
      'Running 1,280',
      'Stopped 37 kept for 30 days',
      'Removed 911',
      'Due now 3 the oldest for 2 hours',
      'Kept though due 3 2 held, 1 dead letters',
      'Waiting 14',
      'Active 4',
      'Delayed 5',
      'Last sweep 45 minutes ago 6 due, 5 enqueued 2026-03-01 11:15:00 UTC',
      'Next sweep in 15 minutes every 1 hour 2026-03-01 12:15:00 UTC',
    ]) {
      expect(text).toContain(line);
    }
  });

  it('the page shows a refused sweep, a failed one, a late one and a missing schedule', () => {
    const { schedule } = aDashboard();
    if (!('value' in schedule)) throw new Error('the dashboard has a schedule');
    const refused = refusedSweep({ finishedAt: ago(DAY_MS).toISOString(), reason: 'more than half' });
    const lastFailure = { at: ago(60_000), reason: 'out of memory' };
    const text = textOf(page({ schedule: { value: { everyMs: null, next: null, last: refused, lastFailure } } }));
    expect(text).toContain('Last sweep refused more than half');
    expect(text).toContain('Next sweep none there is no schedule');
    expect(text).toContain('Failed sweep failed 1 minute ago: out of memory');
    const late = textOf(page({ schedule: { value: { ...schedule.value, next: ago(300_000) } } }));
    expect(late).toContain('Next sweep 5 minutes late');
    expect(late).not.toContain('Failed sweep');
  });

  it('the tiles of engines show when each was seen, another one at its address, missing containers, and the command', () => {
    const observed = { engineId: 'other', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
    const engines = [
      anEngine(),
      anEngine({ name: 'eu-1', observed, observedAt: ago(1_000) }),
      anEngine({ name: 'eu-2', missing: 1_200 }),
    ];
    const text = textOf(page({ engines: { value: engines } }));
    expect(text).toContain('default seen 20 seconds ago id own, root /var/lib/docker, driver overlay2');
    expect(text).toContain('eu-1 another engine answers check it, then: runtime-cleanup engines accept eu-1');
    expect(text).toContain('eu-2 1,200 missing check it, then: runtime-cleanup engines accept eu-2');
    expect(textOf(page({ engines: { value: [] } }))).not.toContain('Engines');
  });

  it('a number that cannot be read is replaced by the reason', () => {
    const why = { unavailable: 'the database is <gone>' };
    const html = page({
      summary: why,
      jobs: why,
      schedule: why,
      engines: why,
      codes: why,
      deadLetters: why,
      operations: why,
    });
    expect(html.match(/the database is &#60;gone&#62;/g)).toHaveLength(7);
    expect(html).not.toContain('<gone>');
    expect(unclosed(html)).toEqual([]);
  });
});

describe('the tables of the page', () => {
  it('a dead letter is shown with its reason, its age and a link to its job', () => {
    const html = page({
      deadLetters: { value: [aDeadLetter({ jobId: 'a/b ?' })] },
      codes: { value: { container_mismatch: 1 } },
    });
    expect(textOf(html)).toContain('arena-41 container_mismatch the container belongs to another game 5 minutes ago');
    expect(html).toContain('href="/admin/queues/queue/runtime-cleanup/a%2Fb%20%3F"');
    expect(html).toContain('<time datetime="2026-03-01T11:55:00.000Z"');
  });

  it('operations are shown with their outcome, and an empty list has a text', () => {
    const failed = anOperation({ outcome: 'failure', errorCode: 'conflict', errorMessage: 'it runs' });
    const text = textOf(page({ operations: { value: [anOperation(), failed] } }));
    expect(text).toContain('arena-41 success auto_ttl 1 minute ago');
    expect(text).toContain('arena-41 failure, conflict it runs auto_ttl 1 minute ago');
    expect(textOf(page())).toContain('There are no dead letters. ');
    expect(textOf(page())).toContain('There are no operations yet. ');
  });

  it('the tables have a caption and named rows and columns for screen readers', () => {
    const html = page({ deadLetters: { value: [aDeadLetter()] }, operations: { value: [anOperation()] } });
    expect(html.match(/<caption>/g)).toHaveLength(2);
    expect(html.match(/<th scope="col">/g)).toHaveLength(10);
    expect(html.match(/<th scope="row">/g)).toHaveLength(2);
    for (const [, id = ''] of html.matchAll(/aria-labelledby="([^"]+)"/g)) expect(html).toContain(`id="${id}"`);
  });
});

describe('text from other services', () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'> !\${x} \u202Eevil\u0000`;

  it('text from other services is escaped in every place of the page', () => {
    const everything: Partial<Dashboard> = {
      checks: [{ name: hostile, ok: false, detail: hostile }],
      deadLetters: { value: [aDeadLetter({ gameId: hostile, message: hostile, jobId: hostile })] },
      operations: {
        value: [
          anOperation({ gameId: hostile, errorMessage: hostile, opSource: hostile, errorCode: hostile }),
          { ...anOperation(), outcome: hostile as 'failure' },
        ],
      },
      codes: { value: { [hostile]: 1 } },
      schedule: {
        value: { everyMs: 1, next: ago(0), last: null, lastFailure: { at: ago(0), reason: hostile } },
      },
    };
    const clean = page({
      deadLetters: { value: [aDeadLetter()] },
      operations: { value: [anOperation(), anOperation()] },
    });
    const html = page(everything);
    expect(html).not.toMatch(/<script|<img|onerror='|onerror="/i);
    expect(html).not.toContain('\u0000');
    expect(html).not.toContain('\u202E');
    expect(html).toContain('\\u202eevil');
    expect(unclosed(html)).toEqual([]);
    expect(unclosed(clean)).toEqual([]);
  });

  it('long text from other services is shortened', () => {
    const html = page({
      deadLetters: { value: [aDeadLetter({ gameId: 'x'.repeat(256), message: 'y'.repeat(4_000) })] },
    });
    expect(html).toContain(`>${'x'.repeat(79)}…<`);
    expect(html).not.toContain('y'.repeat(160));
  });
});

it('the page states which clock its ages come from', () => {
  expect(textOf(page())).toContain("Made at 2026-03-01 12:00:00 UTC, by the database's clock.");
  const blind = textOf(page({ summary: { unavailable: 'gone' } }));
  expect(blind).toContain("Made at 2026-03-02 12:00:00 UTC, by this machine's clock, and so are all ages");
});

it('the page reloads itself unless that is turned off', () => {
  expect(page()).toContain('<meta http-equiv="refresh" content="30"');
  const still = adminPage(aDashboard(), { refreshes: false });
  expect(still).not.toContain('http-equiv');
  expect(still).toContain('<a href="/admin">Refresh</a>');
});
