/** What PostgreSQL writes when its data are of another major version. */
const REFUSAL =
  /initialized by PostgreSQL version (?<data>\d+)[^,]*, which is not compatible with this version (?<own>\d+)/;

/** What to do with data of another major version; undefined when that is not why the server has ended. */
export function wayAcross(lastWords: string, pgData: string): string | undefined {
  const { data, own } = REFUSAL.exec(lastWords)?.groups ?? {};
  if (data === undefined || own === undefined) return undefined;
  const kept = `${pgData}-${data}`;
  return (
    `the data in ${pgData} are of PostgreSQL ${data}, and this release runs PostgreSQL ${own}. The data are unchanged. ` +
    `Move them with the programs of PostgreSQL ${data} (package postgresql-${data}): ` +
    `mv ${pgData} ${kept}; start its "postgres -D ${kept}"; "pg_dump --format=custom --file=games.dump" from it; ` +
    'start "runtime-cleanup api", which creates new data; "pg_restore" into the address that "runtime-cleanup database-url" prints. ' +
    `docs/operations.md, "Data of another version of PostgreSQL", has the commands in full`
  );
}
