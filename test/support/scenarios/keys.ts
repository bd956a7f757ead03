import { setTimeout as sleep } from 'node:timers/promises';
import { keySlot } from '../../../src/model/keySlot.ts';
import { eachSlot } from '../../../src/model/slots.ts';
import type { Deployment } from './deployment.ts';
import { servers, withServer } from './servers.ts';

/** Keys whose values follow from their names, so that every one of them can be compared later. */
export interface Dataset {
  readonly keys: number;
  readonly bytesPerValue: number;
  /** For the table: how much it is. */
  readonly text: string;
}

const atOnce = 1000;
/** Milliseconds that a server may take for one round. */
const patience = 20_000;

const nameOf = (index: number): string => `data:${index}`;
const valueOf = (index: number, bytes: number): string => `${index}:`.padEnd(bytes, 'x');

/** Writes the keys, and waits until each master's replicas have them. */
export async function fill(
  deployment: Deployment,
  keys: number,
  { bytesPerValue = 100, replicas = 1 } = {},
): Promise<Dataset> {
  await patiently(async () => {
    await eachMaster(deployment, keys, async (pipeline, indexes) => {
      await pipeline(indexes.map((i) => ['SET', nameOf(i), valueOf(i, bytesPerValue)]));
    });
    const masters = (await servers(deployment)).filter(({ view }) => view.self.slots.length > 0);
    const waits = masters.map((one) =>
      withServer(deployment, one.ip, (redis) => redis.call('WAIT', replicas, patience / 2), patience),
    );
    const reached = (await Promise.all(waits)).map(Number);
    if (reached.some((count) => count < replicas)) throw new Error('the keys did not reach every replica');
  });
  const megabytes = (keys * bytesPerValue) / 1e6;
  const size = megabytes < 1 ? `${Math.round(megabytes * 1000)} kB` : `${Math.round(megabytes)} MB`;
  return { keys, bytesPerValue, text: `${keys.toLocaleString('en')} keys, ${size}` };
}

/** How many of the keys are there with their own value; every one is asked for. */
export async function countKeys(deployment: Deployment, { keys, bytesPerValue }: Dataset): Promise<number> {
  return patiently(async () => {
    let found = 0;
    await eachMaster(deployment, keys, async (pipeline, indexes) => {
      const values = await pipeline(indexes.map((i) => ['GET', nameOf(i)]));
      found += indexes.filter((i, place) => values[place] === valueOf(i, bytesPerValue)).length;
    });
    return found;
  });
}

/** On a machine that is busy a master may change meanwhile; what is done here may be done again. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 10) throw error;
      await sleep(1000);
    }
  }
}

/** Rejects where a reply is an error. */
type Pipeline = (commands: readonly (readonly string[])[]) => Promise<readonly unknown[]>;

/** Hands each master the indexes of its keys, some at a time. */
async function eachMaster(
  deployment: Deployment,
  keys: number,
  work: (pipeline: Pipeline, indexes: readonly number[]) => Promise<void>,
): Promise<void> {
  const bySlot = new Map<number, number[]>();
  for (let index = 0; index < keys; index++) {
    const slot = keySlot(nameOf(index));
    const others = bySlot.get(slot);
    if (others === undefined) bySlot.set(slot, [index]);
    else others.push(index);
  }
  for (const { ip, view } of await servers(deployment)) {
    const own = [...eachSlot(view.self.slots)].flatMap((slot) => bySlot.get(slot) ?? []);
    if (own.length === 0) continue;
    await withServer(
      deployment,
      ip,
      async (redis) => {
        const pipeline: Pipeline = async (commands) => {
          const batch = redis.pipeline();
          for (const [verb = '', ...rest] of commands) batch.call(verb, ...rest);
          const replies = await batch.exec();
          return (replies ?? []).map(([error, reply]) => {
            if (error !== null) throw error;
            return reply;
          });
        };
        for (let start = 0; start < own.length; start += atOnce)
          await work(pipeline, own.slice(start, start + atOnce));
      },
      patience,
    );
  }
}
