import { messageOf } from '../../model/errors.ts';
import { infoFields } from '../infoFields.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { restorePayload } from './restorePayload.ts';

/**
 * Why a server would not take a value for a key, in its own words; undefined where nothing is in the way. Nothing is
 * changed: what it is sent has no value, and a server that looks at it says so ("Bad data format"), or that the key is
 * there. Rights, memory and its role it considers before, and the version of the format.
 * @param versions those by which it would be handed values
 */
export async function probeRestore(
  connection: NodeConnection,
  key: Buffer,
  versions: Iterable<number>,
): Promise<string | undefined> {
  for (const version of versions) {
    const empty = restorePayload([], version);
    try {
      await connection.call('RESTORE', key, 0, empty, 'ABSTTL');
    } catch (error) {
      const said = messageOf(error);
      if (said.includes('Bad data format') || said.startsWith('BUSYKEY')) continue;
      if (!said.includes('DUMP payload version')) return said;
      return `it does not read version ${version} of RDB files.`;
    }
  }
  return undefined;
}

/** Milliseconds between looks at a server that frees memory, and how many there are. */
const betweenLooks = 250;
const mostLooks = 120;

/**
 * How much memory a server has left below its limit; Infinity where it has none, undefined where INFO is denied. Waits
 * until what was deleted in the background, as a flush does, is free.
 */
export async function readFreeMemory(
  connection: NodeConnection,
  delay: (milliseconds: number) => Promise<void>,
): Promise<number | undefined> {
  for (let looks = 1; ; looks++) {
    const text = await connection.call('INFO', 'memory').catch(() => undefined);
    if (typeof text !== 'string') return undefined;
    const fields = infoFields(text);
    const limit = fields.number('maxmemory');
    if (limit === 0) return Infinity;
    const isFreeing = fields.number('lazyfree_pending_objects') > 0 && looks < mostLooks;
    if (!isFreeing)
      return Math.max(0, limit - fields.number('used_memory') + fields.number('mem_not_counted_for_evict'));
    await delay(betweenLooks);
  }
}
