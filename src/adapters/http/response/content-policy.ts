import type { FastifyHelmetOptions } from '@fastify/helmet';

type Policy = NonNullable<FastifyHelmetOptions['contentSecurityPolicy']>;

const NOTHING = {
  defaultSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

/** What a page of ours may load: its style. No script, nothing from any other host. */
export const CONTENT_POLICY: Policy = {
  useDefaults: false,
  directives: { ...NOTHING, styleSrc: ["'self'"] },
};

/** The queue dashboard is a script of its own, with styles that it writes as it runs; still nothing from any other host. */
export const BOARD_POLICY: Policy = {
  useDefaults: false,
  directives: {
    ...NOTHING,
    baseUri: ["'self'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
  },
};
