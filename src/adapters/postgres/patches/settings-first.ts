/**
 * Replaces four methods of one `Query` of pg: `submit`, `handleRowDescription`, `handleDataRow` and `handleCommandComplete`.
 * Checked on pg 8.23.1. Remove this patch when pg can send two statements of the extended protocol as one transaction.
 */
import type { Connection, Query } from 'pg';
import { LibraryChangedError } from '../../../domain/errors.js';

interface QueryHooks {
  text?: string;
  requiresPreparation?: () => boolean;
  submit?: (connection: Connection) => Error | null;
  handleRowDescription?: (message: unknown) => void;
  handleDataRow?: (message: unknown) => void;
  handleCommandComplete?: (message: unknown, connection: Connection) => void;
}

/** The types ask for an argument that pg itself ignores. */
interface ExtendedProtocol {
  readonly parse: (message: { readonly text: string }) => void;
  readonly bind: (message: object) => void;
  readonly execute: (message: object) => void;
}

/**
 * Sends `settings`, a statement with one row, before the query, in the same transaction and without another round trip;
 * its answer is dropped. Inside a transaction that the caller has opened the query is sent as it is.
 */
export function sendSettingsFirst(query: Query, settings: string, isIdle: () => boolean): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- pg's types leave the methods out
  const hooks = query as unknown as QueryHooks;
  const { submit, requiresPreparation, handleRowDescription, handleDataRow, handleCommandComplete } = hooks;
  if (
    submit === undefined ||
    requiresPreparation === undefined ||
    handleRowDescription === undefined ||
    handleDataRow === undefined ||
    handleCommandComplete === undefined
  ) {
    throw new LibraryChangedError('pg', 'Query.submit, requiresPreparation or one of the handlers of its answer');
  }
  let isAnswered = true;
  hooks.submit = (connection) => {
    if (!isIdle()) return submit.call(query, connection);
    isAnswered = false;
    if (!requiresPreparation.call(query)) {
      // One message with several statements is one transaction, and a BEGIN among them continues it.
      hooks.text = `${settings};${hooks.text ?? ''}`;
      return submit.call(query, connection);
    }
    const { stream } = connection;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see `ExtendedProtocol`
    const protocol = connection as unknown as ExtendedProtocol;
    // Only the Sync after the query's own messages ends the transaction.
    stream.cork();
    try {
      protocol.parse({ text: settings });
      protocol.bind({});
      protocol.execute({});
      return submit.call(query, connection);
    } finally {
      stream.uncork();
    }
  };
  hooks.handleRowDescription = (message) => {
    if (isAnswered) handleRowDescription.call(query, message);
  };
  hooks.handleDataRow = (message) => {
    if (isAnswered) handleDataRow.call(query, message);
  };
  hooks.handleCommandComplete = (message, connection) => {
    if (isAnswered) handleCommandComplete.call(query, message, connection);
    else isAnswered = true;
  };
}
