import * as vscode from 'vscode';
import { cronText, parseCron } from '../../model/cron.ts';
import { messageOf } from '../../model/errors.ts';
import { checkSchedule, usualSchedule, type Schedule } from '../../operations/backups/schedule.ts';
import { picked } from './target.ts';

/** Instead of a schedule: the one that is there is removed. */
export const noSchedule = 'none';

const usual = ['0 3 * * *', '0 */6 * * *', '0 * * * *', '0 3 * * 0'];

/** Asks for a schedule, starting from the present values; `none` where it is to be removed. */
export async function askSchedule(
  name: string,
  present: Schedule | undefined,
): Promise<Schedule | typeof noSchedule> {
  const title = present === undefined ? `Schedule Backups of ${name}` : `Change Backups of ${name}`;
  const before = present ?? usualSchedule;
  const schedule = await askWhen(title, present);
  if (schedule === noSchedule) return noSchedule;
  const timeZone = await askZone(title, before.timeZone);
  const asked = { ...before, schedule, timeZone };
  const keep = Number(
    await askText(title, 'How many backups are kept', String(before.keep), (text) => ({
      ...asked,
      keep: Number(text),
    })),
  );
  const storage = await askText(
    title,
    'Size of the volume, with room for as many backups as are kept and one more',
    before.storage,
    (text) => ({ ...asked, keep, storage: text }),
  );
  return { ...asked, keep, storage };
}

async function askWhen(title: string, present: Schedule | undefined): Promise<string> {
  const now = present?.schedule;
  const listed = [...new Set([...(now === undefined ? [] : [now]), ...usual])];
  const items: readonly (vscode.QuickPickItem & { readonly id: string })[] = [
    ...listed.map((id) => ({
      id,
      label: capitalized(cronText(id)),
      description: id === now ? `${id} · present schedule` : id,
    })),
    { id: '', label: 'Other…', description: 'enter a cron expression' },
    ...(now === undefined
      ? []
      : [{ id: noSchedule, label: 'Remove the Schedule', description: 'keeps the volume with the backups' }]),
  ];
  const { id } = await picked(
    vscode.window.showQuickPick(items, { title, placeHolder: 'Select when the cluster is backed up' }),
  );
  if (id !== '') return id;
  return (
    await picked(
      vscode.window.showInputBox({
        ...{ title, value: now ?? usualSchedule.schedule, ignoreFocusOut: true },
        prompt: 'Minute, hour, day of the month, month and day of the week, separated by spaces',
        validateInput: (text) => {
          const problem = problemWith(() => parseCron(text));
          if (problem !== undefined) return problem;
          return { message: capitalized(cronText(text)), severity: vscode.InputBoxValidationSeverity.Info };
        },
      }),
    )
  ).trim();
}

async function askZone(title: string, present: string): Promise<string> {
  const zones = [...new Set([present, 'Etc/UTC', Intl.DateTimeFormat().resolvedOptions().timeZone])];
  const [only = present, ...others] = zones.filter((zone) => zone !== 'UTC');
  if (others.length === 0) return only;
  return picked(
    vscode.window.showQuickPick([only, ...others], {
      title,
      placeHolder: 'Select the time zone of the schedule',
    }),
  );
}

async function askText(
  title: string,
  prompt: string,
  value: string,
  changed: (text: string) => Schedule,
): Promise<string> {
  const validateInput = (text: string): string | undefined =>
    problemWith(() => {
      checkSchedule(changed(text.trim()));
    });
  const options = { title, prompt, value, ignoreFocusOut: true, validateInput };
  return (await picked(vscode.window.showInputBox(options))).trim();
}

function problemWith(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
