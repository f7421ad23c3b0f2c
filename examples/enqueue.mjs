// Requests the cleanup of one game with plain BullMQ: node examples/enqueue.mjs <game-id>
import { createPostgresBackend, Queue } from 'bullmq';

const { REDIS_URL, DATABASE_URL } = process.env;
const queue = REDIS_URL
  ? new Queue('runtime-cleanup', { connection: { url: REDIS_URL }, prefix: '{rtmanager}' })
  : new Queue('runtime-cleanup', { connection: { connectionString: DATABASE_URL } }, createPostgresBackend);
const job = await queue.add('cleanup_container', { gameId: process.argv[2], opSource: 'lobby_stream' });
console.log(`job ${job.id} requests the cleanup of ${job.data.gameId}`);
await queue.close();
