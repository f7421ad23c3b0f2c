const HIDDEN = '***';

/**
 * An address as it may be shown: its password is replaced, in the user part and in the query. Text that is no address
 * at all is not shown, because nobody can tell where in it a password ends. In an address it ends at the last `@`: who
 * forgets to escape `/`, `?` or `#` in a password has one that reads as host, path and query.
 */
export function shownUrl(text: string): string {
  const { scheme = '', rest = '' } = /^(?<scheme>[a-z][a-z0-9+.-]*:\/\/)(?<rest>.*)$/is.exec(text)?.groups ?? {};
  if (scheme === '') return '(not shown: it is no URL and may hold a password)';
  const colon = rest.indexOf(':');
  const at = rest.lastIndexOf('@');
  if (colon === -1 || at < colon) return scheme + withoutQuerySecrets(rest);
  // That @ may stand in a query, and in a password there.
  const behind = rest.slice(0, at).includes('?') ? '' : withoutQuerySecrets(rest.slice(at));
  return `${scheme}${rest.slice(0, colon)}:${HIDDEN}${behind}`;
}

const withoutQuerySecrets = (text: string): string =>
  text.replaceAll(/([?&](?:password|passwd|pass|sslpassword|token)=)[^&]*/gi, `$1${HIDDEN}`);
