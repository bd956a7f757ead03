import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { keySlot } from '../../../src/model/keySlot.ts';
import { hasSlot } from '../../../src/model/slots.ts';
import type { SlotSet } from '../../../src/model/slots.ts';

/** A write that a server acknowledged, and when (performance.now()). */
export interface Acknowledged {
  readonly key: string;
  readonly at: number;
}

/** What the writer has seen: what was acknowledged, and how often each refusal came. */
export interface DirectReport {
  readonly acknowledged: readonly Acknowledged[];
  readonly refusals: Readonly<Record<string, number>>;
}

/**
 * Writes a new key each time to one server and only to it, as a client does that sits on that server's side of a cut and
 * knows no other. `tag` decides the slot.
 */
export function startDirectWriter(
  target: { readonly ip: string; readonly password: string | undefined },
  tag: string,
): { stop(): Promise<DirectReport> } {
  const { ip, password } = target;
  const redis = new Redis({
    host: ip,
    port: 6379,
    ...(password === undefined ? {} : { password }),
    maxRetriesPerRequest: 0,
    commandTimeout: 2000,
  });
  redis.on('error', () => undefined);
  const acknowledged: Acknowledged[] = [];
  const refusals: Record<string, number> = {};
  const state = { stopped: false };
  const writing = (async (): Promise<void> => {
    for (let turn = 0; !state.stopped; turn++) {
      const key = `direct:{${tag}}:${turn}`;
      try {
        await redis.set(key, '1');
        acknowledged.push({ key, at: performance.now() });
      } catch (error) {
        const word = error instanceof Error ? (error.message.split(' ')[0] ?? '') : String(error);
        refusals[word] = (refusals[word] ?? 0) + 1;
      }
      await sleep(5);
    }
  })();
  return {
    stop: async () => {
      state.stopped = true;
      await writing;
      redis.disconnect();
      return { acknowledged, refusals };
    },
  };
}

/** A hash tag whose keys all belong to these slots. */
export function tagFor(slots: SlotSet): string {
  for (let number = 0; ; number++) if (hasSlot(slots, keySlot(`tag${number}`))) return `tag${number}`;
}
