/** The settings that say where PostgreSQL and Redis are; the first of all settings, because defaults depend on them. */
import { isAbsolute } from 'node:path';
import { parsePostgresAddress, POSTGRES_ADDRESSES_ALLOWED } from '../domain/postgres-address.js';
import { parseRedisAddress, REDIS_ADDRESSES_ALLOWED } from '../domain/redis-address.js';
import { optional } from './field.js';
import { addressBy, matching, readBy } from './parsers.js';
import { shownUrl } from './shown-url.js';

/** Every form of `REDIS_URL` with TLS. */
const WITH_REDIS_TLS = 'only where `REDIS_URL` begins with rediss://, rediss-cluster:// or rediss-sentinel://';

export const STORE_ADDRESSES = {
  /** Null: an embedded PostgreSQL in `dataDir`. */
  databaseUrl: optional('DATABASE_URL', readBy(addressBy(parsePostgresAddress)), {
    fallback: 'an embedded PostgreSQL in `RTMANAGER_DATA_DIR`',
    meaning: 'PostgreSQL with the runtime records, the operation log and, when Redis is not used, queue and leases',
    allowed: POSTGRES_ADDRESSES_ALLOWED,
    show: shownUrl,
  }),
  redisUrl: optional('REDIS_URL', readBy(addressBy(parseRedisAddress)), {
    fallback: 'no Redis',
    meaning: 'Redis for the queue and the leases; it must run with `maxmemory-policy noeviction`',
    allowed: REDIS_ADDRESSES_ALLOWED,
    show: shownUrl,
  }),
  /** Null: the authorities that Node knows. */
  redisTlsCaFile: optional('REDIS_TLS_CA_FILE', matching(isAbsolute), {
    fallback: 'the authorities that Node knows',
    meaning:
      'certificates of the authorities that count for Redis; read again at each new connection, like the next two',
    allowed: `an absolute path of a file in PEM form; ${WITH_REDIS_TLS}`,
  }),
  redisTlsCertFile: optional('REDIS_TLS_CERT_FILE', matching(isAbsolute), {
    fallback: 'no client certificate',
    meaning: 'certificate by which Redis knows this service',
    allowed: `an absolute path of a file in PEM form; ${WITH_REDIS_TLS}`,
  }),
  redisTlsKeyFile: optional('REDIS_TLS_KEY_FILE', matching(isAbsolute), {
    fallback: 'no client certificate',
    meaning: 'private key of `REDIS_TLS_CERT_FILE`, without a passphrase',
    allowed: `an absolute path of a file in PEM form; ${WITH_REDIS_TLS}`,
  }),
};
