/** PostgreSQL's text and jsonb store neither NUL nor lone surrogates; whatever comes from outside passes through here. */
export function storable(text: string, maxLength = 4_000): string {
  return text.replaceAll('\0', '').toWellFormed().slice(0, maxLength).toWellFormed();
}
