import type { NodeView } from '../../model/nodeView.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { parseReplication } from '../nodeView.ts';
import type { Lines } from './lines.ts';

/** A connection to a replica of a master that has it all and may be read; undefined where there is none. */
export async function dialReplica(
  lines: Pick<Lines, 'dial'>,
  { self, others }: NodeView,
): Promise<NodeConnection | undefined> {
  for (const { id, masterId, flags, linkState } of others) {
    if (masterId !== self.id || flags.includes('fail') || linkState !== 'connected') continue;
    try {
      const connection = await lines.dial(id);
      const [ready, replication] = await connection.pipeline([['READONLY'], ['INFO', 'replication']]);
      if (ready === 'OK' && parseReplication(replication).linkUp === true) return connection;
    } catch {
      continue;
    }
  }
  return undefined;
}
