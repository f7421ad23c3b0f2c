import { describe, expect, it } from 'vitest';
import type { AdminFacts } from '../../../../../src/adapters/http/admin/load-dashboard.js';
import { adminPage } from '../../../../../src/adapters/http/admin/page.js';
import { ago, aLetter, anOperation, someFacts } from './admin-facts.js';

const DAY_MS = 24 * 3_600_000;
const page = (over: Partial<AdminFacts> = {}): string => adminPage(someFacts(over), true);

/** What stands on the page, without its tags. */
const textOf = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('&#39;', "'");

/** Every tag that is opened is closed, in order. */
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

describe('what the page says first', () => {
  it('is that all is well, when it is', () => {
    const html = page();
    expect(html).toContain('<title>runtime-cleanup: all is well</title>');
    expect(textOf(html)).toContain('All is well In working order: database, queue. ');
  });

  it('is what does not work, in plain words, and what still does', () => {
    const html = page({
      checks: [
        { name: 'database', ok: true, detail: '' },
        { name: 'queue', ok: false, detail: 'no answer within 900 ms' },
      ],
    });
    expect(html).toContain('<title>(1) runtime-cleanup: needs attention</title>');
    expect(textOf(html)).toContain('Needs attention queue no answer within 900 ms In working order: database. ');
  });

  it('is that dead letters wait, while all works', () => {
    const text = textOf(page({ codes: { value: { conflict: 1_200, not_found: 34 } } }));
    expect(text).toContain('At work, but something waits dead letters 1,234 wait to be mended');
  });

  it('is a sweep that would be refused, with what allows it; once only', () => {
    const { summary } = someFacts();
    if (!('value' in summary)) throw new Error('the facts have a summary');
    const refused = { value: { ...summary.value, refusal: 'too many are due; "--max-share 80%" allows it' } };
    const html = page({ summary: refused });
    expect(html).toContain('&#34;--max-share 80%&#34; allows it');
    const said = page({ summary: refused, checks: [{ name: 'retention', ok: false, detail: 'the last one refused' }] });
    expect(said).not.toContain('--max-share');
  });
});

describe('the numbers', () => {
  it('tell of runtimes, jobs and sweeps, by the clock of the database', () => {
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
      'Last sweep 45 minutes ago 6 due, 5 newly asked for 2026-03-01 11:15:00 UTC',
      'Next sweep in 15 minutes every 1 hour 2026-03-01 12:15:00 UTC',
    ]) {
      expect(text).toContain(line);
    }
  });

  it('tell of a refused sweep, a failed one, a late one and of no schedule', () => {
    const { schedule } = someFacts();
    if (!('value' in schedule)) throw new Error('the facts have a schedule');
    const facts = { asOf: '', finishedAt: ago(DAY_MS).toISOString(), stopped: 1, planned: 1 };
    const kept = { held: 0, dead_letter: 0, invalid_id: 0 };
    const refused = { ...facts, kept, status: 'refused', maxShare: 0.5, reason: 'more than half' } as const;
    const lastFailure = { at: ago(60_000), reason: 'the sky fell' };
    const text = textOf(page({ schedule: { value: { everyMs: null, next: null, last: refused, lastFailure } } }));
    expect(text).toContain('Last sweep refused more than half');
    expect(text).toContain('Next sweep none there is no schedule');
    expect(text).toContain('Failed sweep failed 1 minute ago: the sky fell');
    const late = textOf(page({ schedule: { value: { ...schedule.value, next: ago(300_000) } } }));
    expect(late).toContain('Next sweep 5 minutes late');
    expect(late).not.toContain('Failed sweep');
  });

  it('that cannot be read say why, and leave the others standing', () => {
    const why = { missing: 'the database is <away>' };
    const html = page({ summary: why, jobs: why, schedule: why, codes: why, letters: why, operations: why });
    expect(html.match(/the database is &#60;away&#62;/g)).toHaveLength(6);
    expect(html).not.toContain('<away>');
    expect(unclosed(html)).toEqual([]);
  });
});

describe('the tables', () => {
  it('show a dead letter with its reason, its age and its way into the queue', () => {
    const html = page({
      letters: { value: [aLetter({ jobId: 'a/b ?' })] },
      codes: { value: { container_mismatch: 1 } },
    });
    expect(textOf(html)).toContain('arena-41 container_mismatch the container belongs to another game 5 minutes ago');
    expect(html).toContain('href="/admin/queues/queue/runtime-cleanup/a%2Fb%20%3F"');
    expect(html).toContain('<time datetime="2026-03-01T11:55:00.000Z"');
  });

  it('show operations with their outcome, and say so when there is nothing', () => {
    const failed = anOperation({ outcome: 'failure', errorCode: 'conflict', errorMessage: 'it runs' });
    const text = textOf(page({ operations: { value: [anOperation(), failed] } }));
    expect(text).toContain('arena-41 success auto_ttl 1 minute ago');
    expect(text).toContain('arena-41 failure, conflict it runs auto_ttl 1 minute ago');
    expect(textOf(page())).toContain('None: every request so far came to its end. ');
    expect(textOf(page())).toContain('Nothing has been done yet. ');
  });

  it('have a caption and named rows and columns, for those who hear the page', () => {
    const html = page({ letters: { value: [aLetter()] }, operations: { value: [anOperation()] } });
    expect(html.match(/<caption>/g)).toHaveLength(2);
    expect(html.match(/<th scope="col">/g)).toHaveLength(10);
    expect(html.match(/<th scope="row">/g)).toHaveLength(2);
    for (const [, id = ''] of html.matchAll(/aria-labelledby="([^"]+)"/g)) expect(html).toContain(`id="${id}"`);
  });
});

describe('text from outside', () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'> !\${x} \u202Eevil\u0000`;

  it('is text, wherever it comes from', () => {
    const everything: Partial<AdminFacts> = {
      checks: [{ name: hostile, ok: false, detail: hostile }],
      letters: { value: [aLetter({ gameId: hostile, message: hostile, jobId: hostile })] },
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
    const clean = page({ letters: { value: [aLetter()] }, operations: { value: [anOperation(), anOperation()] } });
    const html = page(everything);
    expect(html).not.toMatch(/<script|<img|onerror='|onerror="/i);
    expect(html).not.toContain('\u0000');
    expect(html).not.toContain('\u202E');
    expect(html).toContain('\\u202eevil');
    expect(unclosed(html)).toEqual([]);
    expect(unclosed(clean)).toEqual([]);
  });

  it('that is long is cut', () => {
    const html = page({ letters: { value: [aLetter({ gameId: 'x'.repeat(256), message: 'y'.repeat(4_000) })] } });
    expect(html).toContain(`>${'x'.repeat(79)}…<`);
    expect(html).not.toContain('y'.repeat(160));
  });
});

it('says by whose clock it was made', () => {
  expect(textOf(page())).toContain("Made at 2026-03-01 12:00:00 UTC, by the database's clock.");
  const blind = textOf(page({ summary: { missing: 'away' } }));
  expect(blind).toContain("Made at 2026-03-02 12:00:00 UTC, by this machine's clock, as are all ages");
});

it('asks for itself again, unless told not to', () => {
  expect(page()).toContain('<meta http-equiv="refresh" content="30"');
  const still = adminPage(someFacts(), false);
  expect(still).not.toContain('http-equiv');
  expect(still).toContain('<a href="/admin">Refresh</a>');
});
