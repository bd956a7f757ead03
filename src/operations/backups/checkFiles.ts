import { quantity } from '../../model/quantity.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { refusal } from '../servers/nodes.ts';
import { count, described, listOf, matching } from '../steps/fields.ts';
import { filesOf, type StepPorts } from '../steps/ports.ts';
import { probeMasters } from './probeMasters.ts';
import { readBackup } from './readBackup.ts';
import { refuseRestore } from '../refusals/restoring.ts';

/** Which files a step is about. */
export const fileFields = {
  folder: described(
    matching(/^[^\p{Cc}]{1,4096}$/u, 'the path of a folder'),
    'The folder of the files, on the computer that runs the plan.',
  ),
  files: listOf(matching(/^[\w.-]{1,250}\.rdb$/, 'the name of an RDB file')),
  keys: described(count, 'How many keys the files hold, against which progress is shown.'),
};

export const fileExample = {
  folder: '/backups/shop-20260101-000000',
  files: ['redis-node-10.0.0.1-6379-0000.rdb'],
  keys: 1000,
};

interface PlannedFiles {
  readonly folder: string;
  readonly files: readonly string[];
  readonly keys: number;
}

/**
 * Reads the files of a plan to their ends, unless that was done and they are the same still, and asks the masters
 * whether they take them. Throws a UserError where the files are not those of which the plan was made, or cannot be
 * restored now. A plan may be run long after it was made.
 */
export async function checkFiles(
  { folder, files, keys }: PlannedFiles,
  keepsKeys: boolean,
  snapshot: ClusterSnapshot,
  ports: StepPorts,
): Promise<void> {
  const backup = await readBackup(folder, { ...ports, files: filesOf(ports) });
  const found = backup.files.map(({ file }) => file).toSorted();
  const held = backup.files.reduce((sum, { scanned }) => sum + scanned.keys, 0);
  if (held !== keys || found.join() !== files.toSorted().join()) {
    throw refusal(
      'unsafe',
      `${folder} is not what it was when the plan was made: it holds ${quantity(held, 'key')} in ${quantity(found.length, 'file')}, and the plan restores ${quantity(keys, 'key')} of ${quantity(files.length, 'file')}. Create a new plan.`,
    );
  }
  refuseRestore(snapshot, backup, ports.redis);
  await probeMasters(snapshot, backup, keepsKeys, ports);
}
