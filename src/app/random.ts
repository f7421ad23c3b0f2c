import { randomBytes } from 'node:crypto';

/** 32 bytes from the system's random source as base64url, 43 characters. Throws when the source fails. */
export function newLeaseToken(): string {
  return randomBytes(32).toString('base64url');
}

/** A number in [0, 1), for spreading retries; nothing secret may be made of it. */
export const random = (): number => Math.random();
