/** What an operator sees and clicks, in a real browser, of the whole service on real parts. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startBrowser } from '../support/browser.js';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { type Service, startService } from '../support/service.js';
import { createTestContainers, type TestContainers } from '../support/test-containers.js';

const TOKEN = 'a-token-for-the-dashboard';
const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
/** Set to write the pictures of the README anew. */
const SCREENSHOTS = process.env['SCREENSHOTS'] === '1';

const HOSTILE = [
  `<img src=x onerror="document.title='owned'">`,
  `'; DROP TABLE runtime_records; --`,
  '🎲 dice/room',
  'x'.repeat(256),
  'abc\u202Edef',
  '..',
];

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
  let service: Service;
  let base: string;
  let context: BrowserContext;
  /** What the browser complained of or asked elsewhere. */
  let complaints: string[];

  beforeEach(async () => {
    database = await createMigratedDatabase();
    redis = store === 'redis' ? await startRedis() : undefined;
    db = new Client({ connectionString: database.url });
    await db.connect();
    service = startService(['serve'], {
      DATABASE_URL: database.url,
      DOCKER_HOST: `unix://${inject('engineSocket')}`,
      RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1:0',
      RTMANAGER_API_TOKENS: TOKEN,
      RTMANAGER_GAME_LEASE_TTL_SECONDS: '2',
      ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
    });
    const { port } = await service.logged('listening');
    await service.logged('taking jobs');
    base = `http://127.0.0.1:${String(port)}`;
    complaints = [];
    context = await newContext();
  });
  afterEach(async () => {
    await context.close();
    await service.kill();
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
        if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
      page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
      page.on('request', (request) => {
        if (!request.url().startsWith(base) && !request.url().startsWith('data:')) complaints.push(request.url());
      });
    });
    return opened;
  }

  const api = (method: string, path: string): Promise<Response> =>
    fetch(`${base}/api/v1/internal${path}`, { method, headers: { authorization: `Bearer ${TOKEN}` } });

  const insertRecord = (gameId: string, containerId: string): Promise<unknown> =>
    db.query(
      `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
       VALUES ($1, 'stopped', $2, now() - interval '3 days', now(), now())`,
      [gameId, containerId],
    );

  async function makeDeadLetter(gameId: string): Promise<string> {
    const asked = await api('DELETE', `/runtimes/${encodeURIComponent(`${gameId} `)}/container`);
    expect(asked.status).toBe(202);
    const { jobId } = (await asked.json()) as { jobId: string };
    await eventually(async () => {
      expect((await api('GET', `/dead-letters/${jobId}`)).status).toBe(200);
    });
    return jobId;
  }

  const screenshot = async (page: Page, name: string): Promise<void> => {
    if (!SCREENSHOTS || store !== 'postgres') return;
    await mkdir(IMAGES, { recursive: true });
    await page.screenshot({ path: `${IMAGES}${name}.png` });
  };

  it('wants a login', async () => {
    for (const path of ['/admin', '/admin/queues', '/admin/queues/api/queues']) {
      const answer = await fetch(`${base}${path}`);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
    }
  });

  it('shows a dead letter with its reason, retries it by a click, and the job completes', async () => {
    const containerId = await containers.make('exited', { gameLabel: 'arena-41' });
    // A record that names no full id: what an operator mends.
    await insertRecord('arena-41', containerId.slice(0, 12));
    const jobId = await makeDeadLetter('arena-41');
    const page = await context.newPage();
    await page.goto(`${base}/admin/queues/queue/runtime-cleanup?status=failed`);
    await page.getByText('container_mismatch').first().waitFor();
    await page.getByText('arena-41').first().waitFor();
    await screenshot(page, 'queues');

    await db.query('UPDATE runtime_records SET current_container_id = $1', [containerId]);
    // The first is for all jobs, those behind it for one each.
    await page.locator('button:has(svg.lucide-refresh-cw)').nth(1).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await eventually(async () => {
      const job = (await (await api('GET', `/cleanups/${jobId}`)).json()) as { state: string };
      expect(job.state).toBe('completed');
    });
    expect(await containers.stateOf(containerId)).toBe('missing');
    expect(complaints).toEqual([]);
  });

  it('tells on one page how things are', async () => {
    await insertRecord('lobby-7', 'f'.repeat(64));
    await db.query(
      `INSERT INTO runtime_records (game_id, status, last_op_at, created_at)
       SELECT 'running-' || n, 'running', now(), now() FROM generate_series(1, 12) AS n`,
    );
    await makeDeadLetter('nobody-knows-me');
    const page = await context.newPage();
    await eventually(async () => {
      await page.goto(`${base}/admin`);
      expect(await page.getByRole('heading', { name: 'All is well' }).count()).toBe(1);
    });
    const text = await page.locator('main').innerText();
    expect(text).toMatch(/Running\s+12/);
    expect(text).toMatch(/Stopped\s+1/);
    expect(text).toMatch(/Next sweep\s+in/);
    expect(text).toContain('nobody-knows-me');
    expect(text).toContain('there is no runtime record of this game');
    await screenshot(page, 'admin');
    await page.getByRole('link', { name: /^\d+$/ }).first().click();
    await page.getByText('nobody-knows-me').first().waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows hostile game ids as the text they are, with and without scripts', async () => {
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
    expect(complaints).toEqual([]);
  });
});
