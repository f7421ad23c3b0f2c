import { expect, it } from 'vitest';
import { httpWorld } from '../http-world.js';

it('is one page and one style, for which nothing else may be loaded or run', async () => {
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

it('stands when what it asks cannot answer, and refuses a question that it does not know', async () => {
  const { app } = await httpWorld({ schedule: { status: () => Promise.reject(new Error('no <schedule>')) } });
  const page = await app.inject('/admin?refresh=off');
  expect(page.statusCode).toBe(200);
  expect(page.body).toContain('no &#60;schedule&#62;');
  expect((await app.inject('/admin?refresh=never')).statusCode).toBe(400);
});
