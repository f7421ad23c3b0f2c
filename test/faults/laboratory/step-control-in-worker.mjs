// Loaded into a worker before its own code. Writes every step of every job to the laboratory's journal, and carries out
// the orders that lie in its folder: "at this step of this game, send yourself this signal".
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.LABORATORY_FOLDER ?? '';
const journal = join(folder, 'steps.jsonl');
const orders = join(folder, 'orders');
const MEANWHILE = new Int32Array(new SharedArrayBuffer(4));
// Longer than a signal to oneself takes to arrive.
const SIGNAL_ARRIVES_MS = 50;

const mentioned = (facts) => Object.values(facts).flatMap((fact) => [fact, fact?.gameId]);

/** What the journal keeps of an answer: yes or no, the port's word, of a record its status and fence. */
const worth = (answer) => {
  if (typeof answer === 'boolean' || typeof answer === 'string') return { said: answer };
  const { kind, activity, status, record } = answer ?? {};
  return { said: activity ?? kind ?? status ?? record?.status, fence: record?.leaseEpoch?.toString() };
};

const write = (line) => appendFileSync(journal, `${JSON.stringify(line)}\n`);

/** Renaming succeeds for one process alone, so that each order is carried out once. */
const claim = (name) => {
  try {
    renameSync(join(orders, name), join(orders, `${name}.done`));
    return true;
  } catch {
    return false;
  }
};

const isMeant = (order, { step, at, facts }) =>
  order.step === step && order.at === at && (order.about === undefined || mentioned(facts).includes(order.about));

const carryOut = (message) => {
  for (const name of readdirSync(orders)) {
    if (!name.endsWith('.json')) continue;
    let order;
    try {
      order = JSON.parse(readFileSync(join(orders, name), 'utf8'));
    } catch {
      // Another worker has claimed it since, or the laboratory has taken it back.
      continue;
    }
    if (!isMeant(order, message) || !claim(name)) continue;
    write({ ns: Number(process.hrtime.bigint()), pid: process.pid, order: order.id, signal: order.signal });
    process.kill(process.pid, order.signal);
    Atomics.wait(MEANWHILE, 0, 0, SIGNAL_ARRIVES_MS);
  }
};

subscribe('runtime-cleanup.step', (message) => {
  const { step, at, facts, answer } = message;
  write({ ns: Number(process.hrtime.bigint()), pid: process.pid, step, at, facts, ...worth(answer) });
  carryOut(message);
});
