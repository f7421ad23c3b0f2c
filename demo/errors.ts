/** The demo cannot go on; the message says what failed. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
