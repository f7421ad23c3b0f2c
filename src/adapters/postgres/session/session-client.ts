import type { Duplex } from 'node:stream';
import { Client, DatabaseError, Query, type QueryConfig } from 'pg';
import { UnavailableError } from '../../../domain/errors.js';
import { READ_ONLY_STATE } from '../../outage.js';
import { connectFailure } from '../connect-failure.js';
import { sendSettingsFirst } from '../patches/settings-first.js';
import { replaceStartupParameters, type StartupParameters } from '../patches/startup-parameters.js';
import { askServer, concernsEveryConnection, type DatabaseServer, forgetServer } from './database-server.js';
import { createOpenSockets } from './open-sockets.js';
import { guardQueries } from './guard-queries.js';
import { driverConfig, type SessionConfig } from './session-options.js';
import { newerSettings, type Settings, setStatements, transactionSettings } from './session-settings.js';

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

/** After these a server closes the connection itself; a pooler that has lost its server may keep it. */
const SERVER_ENDED = /^(?:08|57P)/;

/**
 * The one kind of connection of this program. Its statements run with the settings that its config names, with or without a
 * pooler in between. PostgreSQL itself gets them once, as startup parameters. A pooler may refuse or ignore those, and may
 * run each transaction in another session, which others have used: there each transaction sets them for itself, and no
 * statement is prepared by name.
 *
 * A connection that answers that its node cannot serve is closed, so that it is not used again.
 */
export class SessionClient extends Client {
  /** Closes this connection and all others of its pool, because they lead to a node that can only be read. */
  readonly giveUp: () => void;
  readonly #config: SessionConfig;
  /** Later the connection may have the encrypted stream upon it. */
  readonly #socket: Duplex;
  /** In place of what the config says. */
  #changed: Settings = {};
  #server: DatabaseServer | undefined;
  #timeZone: string | undefined;

  constructor(config: SessionConfig = {}) {
    const { sockets = createOpenSockets() } = config;
    super({ ...driverConfig(config), stream: sockets.create });
    this.#config = config;
    this.#socket = this.connection.stream;
    this.giveUp = sockets.giveUp;
    // When the connection of a lent client breaks, its user learns it from the query that fails. The client also emits an
    // `error` event, and without a listener for that Node ends the process.
    this.on('error', () => undefined);
    replaceStartupParameters(this, (parameters) => this.#startupParameters(parameters));
    this.connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
      if (parameterName === 'TimeZone') this.#timeZone = parameterValue;
    });
    this.connection.on('errorMessage', ({ code = '' }: DatabaseError) => this.#judge(code));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one signature serves all overloads
    const hooks = this as unknown as { query: Send };
    const send = hooks.query.bind(this);
    hooks.query = (query, values, callback) =>
      this.#server?.isPooled === true ? this.#sendPooled(send, query, values, callback) : send(query, values, callback);
    guardQueries(this);
  }

  override connect(): Promise<Client>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<Client> | void {
    const opened = this.#open().catch((error: unknown) => {
      throw error instanceof Error ? connectFailure(error) : error;
    });
    if (callback === undefined) return opened;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its type is a union of the forms for failure and success
    const report = callback as (error: Error | null) => void;
    opened.then(() => report(null), report);
  }

  /** From now on its statements run with these settings as well. */
  async change(settings: Settings): Promise<void> {
    if (this.#server?.isPooled === true) this.#changed = { ...this.#changed, ...settings };
    else await this.query(setStatements(settings));
  }

  /** The client's own listener hands the error to its query in this turn; the socket reports its end in the next. */
  #judge(sqlState: string): void {
    if (sqlState === READ_ONLY_STATE) this.giveUp();
    if (OTHER_SESSION.has(sqlState)) forgetServer(this.#config);
    if (OTHER_SESSION.has(sqlState) || SERVER_ENDED.test(sqlState)) this.#socket.destroy();
  }

  async #open(): Promise<Client> {
    this.#server = await askServer(this.#config).catch((error: unknown) => {
      // A socket that was not used is closed by no end of the connection.
      this.#socket.destroy();
      throw error;
    });
    if (this.#socket.destroyed) {
      throw new UnavailableError('postgresql', 'the time to connect was over before the database had answered');
    }
    try {
      await super.connect();
    } catch (error) {
      // A pooler that has taken the server's place refuses the parameters.
      if (error instanceof DatabaseError && !concernsEveryConnection(error)) forgetServer(this.#config);
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
      const settings = transactionSettings(this.#config, this.#server?.defaults ?? new Map(), this.#changed);
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
