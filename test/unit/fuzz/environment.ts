/** Values of the environment: valid, nearly valid and invalid. */
import * as fc from 'fast-check';
import { examples } from '../config/examples.js';
import { hostileText } from './hostile.js';

/** No message may contain these. */
export const SECRET = 'zQ7-secret-word';
export const TOKEN = 'zQ7-secret-token-of-32-characters';

/** Characters that people forget to escape in a password; digits, because they turn its beginning into a port. */
const besideSecret = fc
  .array(fc.constantFrom('/', '?', '#', '@', ':', '%', '%ff', '%2F', '[', ']', '\\', ' ', '\n', '12', '6', 'p', 'é'), {
    maxLength: 4,
  })
  .map((parts) => parts.join(''));

const scheme = fc.constantFrom('postgresql', 'postgres', 'redis', 'rediss', 'tcp', 'http', 'https', 'ssh', 'unix', 'X');
const place = fc.constantFrom(
  'host',
  'host:1',
  'host/1',
  'host:99999/x',
  '[::1]:2',
  '',
  '/run/x.sock',
  'host?sslmode=no',
);

/** An address whose password contains `SECRET`, escaped or not. */
export const urlWithUserSecret: fc.Arbitrary<string> = fc
  .tuple(scheme, fc.constantFrom('', 'user', 'us/er'), besideSecret, besideSecret, place)
  .map(([by, user, before, behind, where]) => `${by}://${user}:${before}${SECRET}${behind}@${where}`);
const inQuery = fc
  .tuple(scheme, place, fc.constantFrom('password', 'PASSWORD', 'pass', 'token', 'sslpassword'), besideSecret)
  .map(([by, where, name, before]) => `${by}://${where}?user=u&${name}=${before}${SECRET}`);
/** Engines of which one address has a password, which may hold what separates names and addresses. */
export const engineHostsWithSecret: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', 'a=unix://,', 'a=', 'a=tcp://b,c', 'default='),
    fc.oneof(urlWithUserSecret, inQuery),
    fc.constantFrom('', ',', '=', ',=', '12,x='),
    fc.constantFrom('', ',d=tcp://e', '=f', ',g'),
  )
  .map(([before, address, within, after]) => `${before}${address.replace(SECRET, `${within}${SECRET}`)}${after}`);
// After two slashes, the user would be read as a scheme.
const withoutScheme = fc
  .tuple(
    besideSecret.filter((before) => !before.startsWith('//')),
    place,
  )
  .map(([before, where]) => `user:${before}${SECRET}@${where}`);

/** The same, or a text with the password in its query, or without a scheme. */
export const urlWithSecret: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: urlWithUserSecret },
  { weight: 2, arbitrary: inQuery },
  withoutScheme,
);

const address = fc
  .tuple(scheme, fc.constantFrom('', 'u:p%ff@', 'u%zz:p@', ':p@'), place, hostileText)
  .map(([by, user, where, path]) => `${by}://${user}${where}/${path}`);
const amount = fc
  .tuple(
    fc.oneof(fc.nat(100_000).map(String), fc.constantFrom('1e3', '-1', '.5', '9'.repeat(400), '٣')),
    fc.constantFrom('', 'ms', 's', 'm', 'h', 'd', '%', ' s'),
  )
  .map((parts) => parts.join(''));

/** A text with another one in the middle, as a typing error makes it. */
const spliced = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(texts, hostileText, fc.nat(40)).map(([text, more, at]) => text.slice(0, at) + more + text.slice(at));

export const hostileValue = (name: string): fc.Arbitrary<string> => {
  const { valid = [], invalid = [] } = examples[name] ?? {};
  const known = fc.constantFrom(...valid.map(([text]) => text), ...invalid, '');
  return fc.oneof(
    { weight: 8, arbitrary: known },
    { weight: 2, arbitrary: spliced(known) },
    { weight: 2, arbitrary: amount },
    { weight: 2, arbitrary: address },
    { weight: 2, arbitrary: hostileText },
  );
};
