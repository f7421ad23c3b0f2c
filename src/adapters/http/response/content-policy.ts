import type { FastifyHelmetOptions } from '@fastify/helmet';

type Policy = NonNullable<FastifyHelmetOptions['contentSecurityPolicy']>;

const NOTHING = {
  defaultSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

/** For all answers but those of the queue dashboard: a page may load its style sheet, and no script. */
export const CONTENT_POLICY: Policy = {
  useDefaults: false,
  directives: { ...NOTHING, styleSrc: ["'self'"] },
};

/** For the queue dashboard, a script that adds styles while it runs. It may load nothing from another host. */
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
