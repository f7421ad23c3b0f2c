/** PostgreSQL's text and jsonb store neither NUL nor lone surrogates; text from other programs passes through here. */
export function storable(text: string, maxLength = 4_000): string {
  return text.replaceAll('\0', '').toWellFormed().slice(0, maxLength).toWellFormed();
}

/** Makes visible what would hide or reorder the text: control characters and changes of direction. */
export function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
