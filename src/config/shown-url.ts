const HIDDEN = '***';

/**
 * An address as it may be shown: its password is replaced, in the user part and in the query. Text that is no address
 * at all is not shown, because nobody can tell where in it a password ends.
 */
export function shownUrl(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return '(not shown: it is no URL and may hold a password)';
  return text
    .replace(/^([^/]+\/\/)([^/?#]*)@/, (_all, scheme: string, user: string) => {
      const colon = user.indexOf(':');
      return colon === -1 ? `${scheme}${user}@` : `${scheme}${user.slice(0, colon)}:${HIDDEN}@`;
    })
    .replaceAll(/([?&](?:password|passwd|pass|sslpassword|token)=)[^&#]*/gi, `$1${HIDDEN}`);
}
