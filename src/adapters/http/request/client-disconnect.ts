import type { ServerResponse } from 'node:http';
import { NotWaitedForError } from '../../../domain/errors.js';

/** Whether somebody still waits for an answer. */
export interface Caller {
  /** Aborted when the caller has gone, or the server is about to close. */
  readonly signal: AbortSignal;
  /** Stops looking; the connection may serve further requests. */
  readonly forget: () => void;
}

/** Watches the connection for as long as an answer takes, so that nobody works for a caller who has gone. */
export function watchCaller(response: ServerResponse, closing: AbortSignal): Caller {
  const gone = new AbortController();
  const abort = (): void => gone.abort(new NotWaitedForError('the caller has gone'));
  // Nothing comes of an answer that cannot be sent.
  if (response.destroyed || response.socket?.destroyed === true) abort();
  response.once('close', abort);
  return {
    signal: AbortSignal.any([gone.signal, closing]),
    forget: () => void response.off('close', abort),
  };
}
