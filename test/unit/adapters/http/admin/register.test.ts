import { expect, it } from 'vitest';
import { httpWorld } from '../http-world.js';

it('the overview is one page and one style sheet, and may load or run nothing else', async () => {
  const { app } = await httpWorld();
  const page = await app.inject('/admin');
  expect(page.statusCode).toBe(200);
  expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  const policy = String(page.headers['content-security-policy']).split(';');
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("style-src 'self'");
  expect(policy.join()).not.toMatch(/unsafe|script-src|https?:/);
  const [link] = page.body.match(/<link[^>]*>/g) ?? [];
  expect(link).toContain('href="/admin/style.css"');
  expect((await app.inject('/admin/style.css')).headers['content-type']).toBe('text/css; charset=utf-8');
  expect(page.body).not.toMatch(/<script|<style|style=|<img|@import/);
});

it('the overview is served when a store fails, and refuses an unknown parameter', async () => {
  const { app } = await httpWorld({ schedule: { status: () => Promise.reject(new Error('no <schedule>')) } });
  const page = await app.inject('/admin?refresh=off');
  expect(page.statusCode).toBe(200);
  expect(page.body).toContain('no &#60;schedule&#62;');
  expect((await app.inject('/admin?refresh=never')).statusCode).toBe(400);
});

it.each([
  ['allows to retry a job', '/admin/queues/api/queues/runtime-cleanup/17/retry', 200],
  ['refuses to empty a queue', '/admin/queues/api/queues/runtime-cleanup/empty', 405],
])('the queue dashboard %s', async (_what, url, status) => {
  const { app } = await httpWorld();
  expect((await app.inject({ method: 'PUT', url })).statusCode).toBe(status);
});

it('the queue dashboard may load nothing from another host', async () => {
  const { app } = await httpWorld();
  const answer = await app.inject('/admin/queues/');
  expect(answer.headers['content-security-policy']).toContain(`default-src 'none'`);
});
