/**
 * What to do when the Unix socket of a server cannot be reached; undefined for any other failure. The message is that of
 * Node, which names the socket: `connect ENOENT /run/postgresql/.s.PGSQL.5432`.
 */
export function socketAdvice(message: string): string | undefined {
  const { code, socket } = /connect (?<code>E[A-Z]+) (?<socket>\/\S*)/.exec(message)?.groups ?? {};
  if (code === 'EACCES') return `let this user enter the folder of ${socket} and write to the socket`;
  if (code === 'ENOENT' && socket?.includes('.s.PGSQL.') === true) {
    return `no server has its socket at ${socket}: start PostgreSQL, or correct host and port in DATABASE_URL`;
  }
  return undefined;
}
