import type { FastifyHelmetOptions } from '@fastify/helmet';

/**
 * What a page of ours may load: nothing from any other host. The queue dashboard is a script of its own with styles that
 * it writes as it runs; its page also names fonts on another host, which it does without.
 */
export const CONTENT_POLICY: NonNullable<FastifyHelmetOptions['contentSecurityPolicy']> = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'self'"],
    frameAncestors: ["'none'"],
  },
};
