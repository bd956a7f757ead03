import { quantity } from '../../model/quantity.ts';
import { checkFiles, fileExample, fileFields } from '../backups/checkFiles.ts';
import { never, noCommand, noLoss, type StepData, type StepDefinition } from './step.ts';

type CheckBackup = StepData<'checkBackup', typeof fileFields>;

/** Steps whose check found nothing in this run. */
const checked = new WeakSet<CheckBackup>();

/** Stands before steps that delete keys which a backup replaces: what cannot be restored is found before they are gone. */
export const checkBackup: StepDefinition<'checkBackup', typeof fileFields> = {
  kind: 'checkBackup',
  description: 'Reads RDB files to their ends and asks the masters whether they take them. Changes nothing.',
  fields: fileFields,
  example: fileExample,
  isSaved: true,
  mayBeUndone: false,
  needsAgents: never,
  shownBy: 'asking',
  text: ({ folder, files }) => `Check ${quantity(files.length, 'file')} in ${folder}`,
  loss: noLoss,
  destroys: never,
  command: noCommand,
  isDone: (step) => checked.has(step),
  check: (step, snapshot, ports) => checkFiles(step, false, snapshot, ports),
  act: (step) => {
    checked.add(step);
    return Promise.resolve();
  },
};
