import { Client, type ClientConfig, DatabaseError, Query, type QueryConfig } from 'pg';
import { UnavailableError } from '../../../domain/errors.js';
import { sendSettingsFirst } from '../patches/settings-first.js';
import { replaceStartupParameters, type StartupParameters } from '../patches/startup-parameters.js';
import { askServer, type DatabaseServer, forgetServer } from './database-server.js';
import { newerSettings, transactionSettings } from './session-settings.js';

type ConnectCallback = Parameters<Client['connect']>[0];
type QueryCallback = (error: Error | null | undefined, answer?: unknown) => void;
type Send = (query: unknown, values?: unknown, callback?: QueryCallback) => unknown;

/** What pg's `query` accepts besides a text; pg knows a limit for one query, its types do not. */
type Sendable = QueryConfig & { readonly query_timeout?: number };

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}

/** A prepared statement is missing, or there already: a pooler that ignores startup parameters has taken the server's place. */
const OTHER_SESSION = new Set(['26000', '42P05']);

/**
 * A connection whose statements run with the settings that its config names, with or without a pooler in between. PostgreSQL itself
 * gets them once, as startup parameters. A pooler may refuse or ignore those, and may run each transaction in another
 * session, which others have used: there each transaction sets them for itself, and no statement is prepared by name.
 */
export class SessionClient extends Client {
  readonly #config: ClientConfig;
  #server: DatabaseServer | undefined;
  #timeZone: string | undefined;

  constructor(config: ClientConfig = {}) {
    super(config);
    this.#config = config;
    // When the connection of a lent client breaks, its user learns it from the query that fails. The client also emits an
    // `error` event, and without a listener for that Node ends the process.
    this.on('error', () => undefined);
    replaceStartupParameters(this, (parameters) => this.#startupParameters(parameters));
    this.connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
      if (parameterName === 'TimeZone') this.#timeZone = parameterValue;
    });
    // The client's own listener hands the error to its query first.
    this.connection.on('errorMessage', ({ code = '' }: DatabaseError) => {
      if (!OTHER_SESSION.has(code)) return;
      forgetServer(config);
      this.connection.stream.destroy();
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one signature serves all overloads
    const hooks = this as unknown as { query: Send };
    const send = hooks.query.bind(this);
    hooks.query = (query, values, callback) =>
      this.#server?.isPooled === true ? this.#sendPooled(send, query, values, callback) : send(query, values, callback);
  }

  override connect(): Promise<Client>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<Client> | void {
    if (callback === undefined) return this.#open();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its type is a union of the forms for failure and success
    const report = callback as (error: Error | null) => void;
    this.#open().then(() => report(null), report);
  }

  async #open(): Promise<Client> {
    this.#server = await askServer(this.#config);
    if (this.connection.stream.destroyed) {
      throw new UnavailableError('postgresql', 'the time to connect was over before the database had answered');
    }
    try {
      await super.connect();
    } catch (error) {
      // A pooler that has taken the server's place refuses the parameters.
      if (error instanceof DatabaseError) forgetServer(this.#config);
      throw error;
    }
    if (this.#server.isPooled || this.#timeZone === undefined || this.#timeZone === 'UTC') return this;
    forgetServer(this.#config);
    await this.end();
    throw new UnavailableError('postgresql', 'the session was opened without its startup parameters');
  }

  #startupParameters(parameters: StartupParameters): StartupParameters {
    if (this.#server?.isPooled !== true) {
      return { ...parameters, ...newerSettings(this.#server?.defaults ?? new Map()) };
    }
    const { user = '', database = '', application_name: name = '' } = parameters;
    return { user, database, application_name: name };
  }

  #sendPooled(send: Send, given: unknown, values: unknown, callback?: QueryCallback): unknown {
    if (typeof given === 'object' && given !== null && 'submit' in given) return send(given, values, callback);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the overloads of `query` allow
    const { name: _, ...config } = (typeof given === 'string' ? { text: given } : given) as Sendable;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the values may be left out
    const done = (typeof values === 'function' ? values : callback) as QueryCallback | undefined;
    const parameters = Array.isArray(values) ? { values: values as unknown[] } : {};
    const start = (settled: QueryCallback): void => {
      const query = new Query({ ...config, ...parameters }, settled);
      const settings = transactionSettings(this.#config, this.#server?.defaults ?? new Map());
      sendSettingsFirst(query, settings, () => this.getTransactionStatus() === 'I');
      // pg reads the limit of a query from what it is given to send.
      send(config.query_timeout === undefined ? query : Object.assign(query, { query_timeout: config.query_timeout }));
    };
    if (done !== undefined) return start(done);
    return new Promise((resolve, reject) => {
      start((error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }
}
