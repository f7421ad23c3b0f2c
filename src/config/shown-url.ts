const HIDDEN = '***';

/**
 * An address as it may be shown: its password is replaced, in the user part and in the query. Text that is not an address
 * is not shown, because the end of a password in it is unknown. In an address the password ends at the last `@`: with an
 * unescaped `/`, `?` or `#` in it, a URL parser would take the rest of the password for host, path and query.
 */
export function shownUrl(text: string): string {
  const { scheme = '', rest = '' } = /^(?<scheme>[a-z][a-z0-9+.-]*:\/\/)(?<rest>.*)$/is.exec(text)?.groups ?? {};
  if (scheme === '') return '(not shown: it is no URL and may hold a password)';
  const colon = rest.indexOf(':');
  const at = rest.lastIndexOf('@');
  if (colon === -1 || at < colon) return scheme + withoutQuerySecrets(rest);
  // The last @ may be in the query, and part of a password there.
  const behind = rest.slice(0, at).includes('?') ? '' : withoutQuerySecrets(rest.slice(at));
  return `${scheme}${rest.slice(0, colon)}:${HIDDEN}${behind}`;
}

const withoutQuerySecrets = (text: string): string =>
  text.replaceAll(/([?&]\w*(?:password|passwd|pass|token)=)[^&]*/gi, `$1${HIDDEN}`);
