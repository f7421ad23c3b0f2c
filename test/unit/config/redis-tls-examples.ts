import type { Examples } from './examples.js';

/** The files for TLS to Redis; each needs an address with TLS, and certificate and key need each other. */
export const redisTlsExamples: Readonly<Record<string, Examples>> = {
  REDIS_TLS_CA_FILE: {
    beside: { REDIS_URL: 'rediss://cache' },
    valid: [['/etc/redis/ca.pem', { redisTlsCaFile: '/etc/redis/ca.pem' }]],
    invalid: ['ca.pem', './ca.pem', '~/ca.pem'],
  },
  REDIS_TLS_CERT_FILE: {
    beside: { REDIS_URL: 'rediss-cluster://a,b', REDIS_TLS_KEY_FILE: '/key.pem' },
    valid: [['/cert.pem', { redisTlsCertFile: '/cert.pem', redisTlsKeyFile: '/key.pem' }]],
    invalid: ['cert.pem'],
  },
  REDIS_TLS_KEY_FILE: {
    beside: { REDIS_URL: 'rediss-sentinel://a#main', REDIS_TLS_CERT_FILE: '/cert.pem' },
    valid: [['/key.pem', { redisTlsCertFile: '/cert.pem', redisTlsKeyFile: '/key.pem' }]],
    invalid: ['key.pem'],
  },
};
