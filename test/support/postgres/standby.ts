/** How a server becomes a streaming standby of another one: by a copy of its data, or in its next start. */
import { appendFileSync, cpSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Client } from 'pg';
import { z } from 'zod';

async function asSuperuser<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const BACKUP = z.tuple([z.object({ text: z.string() })]);

/** Copies the data of a running server into a folder, by the server's own protocol for that, and makes it its standby. */
export async function copyAsStandby(primaryUrl: string, data: string): Promise<void> {
  await asSuperuser(primaryUrl, async (client) => {
    const read = async (sql: string): Promise<string> => BACKUP.parse((await client.query(sql)).rows)[0].text;
    await client.query(`SELECT pg_backup_start('standby', true)`);
    const source = await read(`SELECT current_setting('data_directory') AS text`);
    const isKept = (path: string): boolean => !/^postmaster\.(?:pid|opts)$|^pgsql_tmp/.test(basename(path));
    cpSync(source, data, { recursive: true, filter: isKept });
    writeFileSync(join(data, 'backup_label'), await read('SELECT labelfile AS text FROM pg_backup_stop(false)'));
  });
  follow(data, primaryUrl);
}

/** At its next start the server recovers, answers reads, and follows the other one for as long as that is possible. */
export function follow(data: string, primaryUrl: string): void {
  const { hostname, port } = new URL(primaryUrl);
  appendFileSync(
    join(data, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${hostname} port=${port} user=postgres'\n`,
  );
  writeFileSync(join(data, 'standby.signal'), '');
}

/** Resolves when the standby has become a primary. */
export async function promote(standbyUrl: string): Promise<void> {
  await asSuperuser(standbyUrl, (client) => client.query('SELECT pg_promote()'));
}
