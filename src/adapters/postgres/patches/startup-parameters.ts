/**
 * Replaces one method of pg's `Client`: `getStartupConf`. Checked on pg 8.23.1. Remove this patch when pg can be told which
 * startup parameters to send after the client was made.
 */
import type { Client } from 'pg';
import { LibraryChangedError } from '../../../domain/errors.js';

/** Everything is text, as in the protocol's startup message. */
export type StartupParameters = Readonly<Record<string, string>>;

/** `choose` is called when the connection is open and gets what pg itself would send. */
export function replaceStartupParameters(
  client: Client,
  choose: (parameters: StartupParameters) => StartupParameters,
): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- pg's types leave the method out
  const hooks = client as unknown as { getStartupConf?: () => StartupParameters };
  const read = hooks.getStartupConf?.bind(client);
  if (read === undefined) throw new LibraryChangedError('pg', 'Client.getStartupConf');
  hooks.getStartupConf = () => choose(read());
}
