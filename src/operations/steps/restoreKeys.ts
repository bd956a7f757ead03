import { quantity } from '../../model/quantity.ts';
import { checkFiles, fileExample, fileFields } from '../backups/checkFiles.ts';
import { writeKeys } from '../backups/writeKeys.ts';
import { never, noCommand, noLoss, type StepData, type StepDefinition } from './step.ts';

type RestoreKeys = StepData<'restoreKeys', typeof fileFields>;

/** Steps that have written all keys in this run: what clients change afterwards is not the restore's failure. */
const restored = new WeakSet<RestoreKeys>();

/** Writes the keys of RDB files to the masters that own their slots. Keys that are there already stay as they are. */
export const restoreKeys: StepDefinition<'restoreKeys', typeof fileFields> = {
  kind: 'restoreKeys',
  description: 'Writes the keys of RDB files. Keys that the cluster holds already are kept.',
  fields: fileFields,
  example: fileExample,
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'snapshot',
  text: ({ folder, files, keys }) =>
    `Restore ${quantity(keys, 'key')} of ${quantity(files.length, 'file')} in ${folder}`,
  loss: noLoss,
  destroys: never,
  command: noCommand,
  isDone: (step) => restored.has(step),
  check: (step, snapshot, ports) => checkFiles(step, true, snapshot, ports),
  act: async (step, ports) => {
    await writeKeys(step, ports);
    if (!ports.signal.aborted) restored.add(step);
  },
};
