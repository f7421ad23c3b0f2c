/** The pages for operators in a real browser, against the whole service on a real engine and real stores. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startBrowser } from '../support/browser.js';
import { createMigratedDatabase, type TestDatabase } from '../support/postgres/database.js';
import { createQueueChanges } from '../support/queue/queue-changes.js';
import { PREFIX } from '../../src/adapters/bullmq/names.js';
import { eventually } from '../support/eventually.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { type Service, startService } from '../support/service.js';
import { createTestContainers, type TestContainers } from '../support/engine/test-containers.js';

const TOKEN = 'a-token-for-the-dashboard';
const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
/** Set to update the pictures of the README. */
const SCREENSHOTS = process.env['SCREENSHOTS'] === '1';

const HOSTILE = [
  `<img src=x onerror="document.title='owned'">`,
  `'; DROP TABLE runtime_records; --`,
  '🎲 dice/room',
  'x'.repeat(256),
  'abc\u202Edef',
  '..',
];

/** The icons of the buttons that change something. */
const COMMANDS = 'svg:is(.lucide-refresh-cw, .lucide-trash-2, .lucide-corner-up-left)';
const REFUSED_COMMANDS = 'svg:is(.lucide-files, .lucide-pencil, .lucide-clock, .lucide-ellipsis-vertical)';

let browser: Browser;
let containers: TestContainers;

beforeAll(async () => {
  browser = await startBrowser();
  containers = await createTestContainers(inject('engineSocket'));
});
afterAll(async () => {
  await browser.close();
  await containers.clear();
});

describe.each(['postgres', 'redis'] as const)('the dashboard on the %s queue', (store) => {
  let database: TestDatabase;
  let db: Client;
  let redis: TestRedis | undefined;
  let changes: ReturnType<typeof createQueueChanges>;
  let service: Service;
  let base: string;
  let context: BrowserContext;
  /** Errors and dialogs of the pages, and requests to other hosts. */
  let problems: string[];

  beforeEach(async () => {
    database = await createMigratedDatabase();
    redis = store === 'redis' ? await startRedis() : undefined;
    db = new Client({ connectionString: database.url });
    await db.connect();
    const stores = { DATABASE_URL: database.url, ...(redis === undefined ? {} : { REDIS_URL: redis.url }) };
    changes = createQueueChanges({ ...stores, QUEUE_SPACE: PREFIX });
    service = startService(['serve'], {
      ...stores,
      DOCKER_HOST: `unix://${inject('engineSocket')}`,
      RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1:0',
      RTMANAGER_API_TOKENS: TOKEN,
      RTMANAGER_GAME_LEASE_TTL_SECONDS: '2',
      // A dead letter as soon as a lease of two seconds allows.
      RTMANAGER_CONFLICT_MAX_ATTEMPTS: '3',
    });
    const { port } = await service.logged('listening');
    await service.logged('taking jobs');
    base = `http://127.0.0.1:${String(port)}`;
    problems = [];
    context = await newContext();
  });
  afterEach(async () => {
    await context.close();
    await service.kill();
    await changes.close();
    await db.end();
    await database.drop();
    await redis?.stop();
    await containers.clear();
  });

  async function newContext(more: object = {}): Promise<BrowserContext> {
    const opened = await browser.newContext({
      httpCredentials: { username: 'operator', password: TOKEN },
      viewport: { width: 1280, height: 900 },
      ...more,
    });
    opened.on('page', (page) => {
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
      page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`));
      page.on('request', (request) => {
        if (!request.url().startsWith(base) && !request.url().startsWith('data:')) problems.push(request.url());
      });
    });
    return opened;
  }

  const api = (method: string, path: string, headers = {}): Promise<Response> =>
    fetch(`${base}/api/v1/internal${path}`, { method, headers: { authorization: `Bearer ${TOKEN}`, ...headers } });

  const insertRecord = (gameId: string, containerId: string | null, status = 'stopped', days = 3): Promise<unknown> =>
    db.query(
      `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
       VALUES ($1, $2, $3, now() - make_interval(days => $4), now(), now())`,
      [gameId, status, containerId, days],
    );

  async function ask(gameId: string, caller = 'admin'): Promise<string> {
    const path = `/runtimes/${encodeURIComponent(`${gameId} `)}/container`;
    const asked = await api('DELETE', path, { 'x-galaxy-caller': caller });
    expect(asked.status).toBe(202);
    return ((await asked.json()) as { jobId: string }).jobId;
  }

  async function untilEnded(jobId: string, state: 'completed' | 'failed'): Promise<void> {
    await changes.untilQueue(async () => {
      expect(await (await api('GET', `/cleanups/${jobId}`)).json()).toMatchObject({ state });
    });
  }

  async function makeDeadLetter(gameId: string): Promise<string> {
    const jobId = await ask(gameId);
    await untilEnded(jobId, 'failed');
    return jobId;
  }

  /** Running, stopped, held and removed runtimes, successful cleanups and dead letters. */
  async function fillStores(): Promise<void> {
    await db.query(
      `INSERT INTO runtime_records (game_id, status, last_op_at, created_at)
       SELECT 'arena-' || n, 'running', now(), now() FROM generate_series(1, 128) AS n`,
    );
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) await insertRecord(`cup-${n}`, null, 'stopped', n);
    await insertRecord('finals-2025', 'e'.repeat(64), 'stopped', 44);
    await db.query(`INSERT INTO retention_holds (game_id, reason, held_by) VALUES ('finals-2025', 'a dispute', 'ann')`);
    await insertRecord('ladder-9', 'd41d8cd98f00');
    for (const gameId of ['ladder-9', 'lobby-7', 'arena-41']) await makeDeadLetter(gameId);
    for (const n of [1, 2, 3, 4, 5]) await untilEnded(await ask(`cup-${n}`, n % 2 === 0 ? 'admin' : 'gm'), 'completed');
  }

  const screenshot = async (page: Page, name: string): Promise<void> => {
    if (!SCREENSHOTS || store !== 'postgres') return;
    await mkdir(IMAGES, { recursive: true });
    await page.screenshot({ path: `${IMAGES}${name}.png`, fullPage: name === 'admin' });
  };

  it('the dashboard asks for a login', async () => {
    for (const path of ['/admin', '/admin/queues', '/admin/queues/api/queues']) {
      const answer = await fetch(`${base}${path}`);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
    }
  });

  it('the dashboard shows a dead letter with its reason and data, and a click on retry completes the job', async () => {
    const containerId = await containers.make('exited', { gameLabel: 'arena-41' });
    // The record has a short container id, which an operator has to repair.
    await insertRecord('arena-41', containerId.slice(0, 12));
    const jobId = await makeDeadLetter('arena-41');
    const page = await context.newPage();
    await page.goto(`${base}/admin/queues/queue/runtime-cleanup?status=failed`);
    await page.getByText('arena-41: container_mismatch: ').waitFor();
    await page.getByText('"admin_rest"').waitFor();
    // Buttons of refused commands are hidden. Left are "retry all" and, for the job, retry and remove.
    const offered = page.locator('button:visible:has(svg.lucide)').filter({ has: page.locator(COMMANDS) });
    expect(await offered.count()).toBe(3);
    expect(await page.locator(`button:visible:has(${REFUSED_COMMANDS})`).count()).toBe(0);

    await db.query('UPDATE runtime_records SET current_container_id = $1', [containerId]);
    // The first button is for all jobs, each further one for one job.
    await page.locator('button:has(svg.lucide-refresh-cw)').nth(1).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await untilEnded(jobId, 'completed');
    expect(await containers.stateOf(containerId)).toBe('missing');
    expect(problems).toEqual([]);
  });

  it('a click on the dashboard purges a dead letter', async () => {
    const jobId = await makeDeadLetter('unknown-game');
    const page = await context.newPage();
    await page.goto(`${base}/admin/queues/queue/runtime-cleanup/${jobId}?status=failed`);
    await page.locator('button:has(svg.lucide-trash-2)').click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await eventually(async () => expect((await api('GET', `/cleanups/${jobId}`)).status).toBe(404));
    expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
  });

  it('the dashboard shows the state of the service on one page', async () => {
    const page = await context.newPage();
    await eventually(async () => {
      await page.goto(`${base}/admin`);
      expect(await page.getByRole('heading', { name: 'Everything works' }).count()).toBe(1);
    });
    await fillStores();
    await page.reload();
    expect(await page.getByRole('heading', { name: 'Works, with open tasks' }).count()).toBe(1);
    const text = await page.locator('main').innerText();
    expect(text).toMatch(/Running\s+128/);
    expect(text).toMatch(/Stopped\s+5/);
    expect(text).toMatch(/Removed\s+5/);
    expect(text).toMatch(/Kept though due\s+1\s+1 held/);
    expect(text).toMatch(/Next sweep\s+in/);
    for (const code of ['container_mismatch 1', 'not_found 1', 'conflict 1']) expect(text).toContain(code);
    expect(text).toMatch(/cup-5\s+success\s+gm_rest/);
    await screenshot(page, 'admin');
    await page.getByRole('link', { name: /^\d+$/ }).first().click();
    await page.getByText('arena-41: conflict: ').waitFor();
    await page.goto(`${base}/admin/queues/queue/runtime-cleanup?status=failed`);
    await page.getByText('lobby-7: not_found: ').waitFor();
    await screenshot(page, 'queues');
    expect(problems).toEqual([]);
  });

  it('the dashboard shows hostile game ids as text, with and without scripts', async () => {
    for (const gameId of HOSTILE) await makeDeadLetter(gameId);
    const plain = await newContext({ javaScriptEnabled: false });
    for (const opened of [context, plain]) {
      const page = await opened.newPage();
      await page.goto(`${base}/admin?refresh=off`);
      const text = await page.locator('main').innerText();
      expect(text).toContain(`<img src=x onerror="document.title='owned'">`);
      expect(text).toContain(`'; DROP TABLE runtime_records; --`);
      expect(text).toContain('🎲 dice/room');
      expect(text).toContain('abc\\u202edef');
      expect(text).toContain('x'.repeat(79));
      expect(await page.locator('main img').count()).toBe(0);
      expect(await page.title()).not.toContain('owned');
    }
    await plain.close();
    const page = await context.newPage();
    await page.goto(`${base}/admin/queues/queue/runtime-cleanup?status=failed`);
    await page.getByText('DROP TABLE').first().waitFor();
    expect(await page.title()).not.toContain('owned');
    expect(problems).toEqual([]);
  });
});
