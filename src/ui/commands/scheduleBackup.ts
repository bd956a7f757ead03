import type { Outcome } from '../../model/outcome.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import { presentSchedule, usualSchedule, type Schedule } from '../../operations/backups/schedule.ts';
import {
  placeOfBackups,
  prepareSchedule,
  prepareUnschedule,
  readScheduleObjects,
  scheduleText,
} from '../../operations/scheduleBackup.ts';
import { readManifestFiles } from '../manifestFiles.ts';
import type { Parts } from '../parts.ts';
import { Asking } from '../questions/asking.ts';
import { askSchedule, noSchedule } from '../questions/schedule.ts';
import { numberAnswer, textAnswer, type Answers } from '../questions/target.ts';
import { runPlanned } from '../run/runPlanned.ts';

/** Has Kubernetes back a cluster up on a schedule, changes the schedule, or removes it. */
export async function scheduleBackup(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & PlanResult)> {
  const asking = new Asking(parts, argument);
  const snapshot = await parts.inventory.fresh(await asking.cluster());
  const ref = placeOfBackups(snapshot.ref);
  const access = await parts.inventory.access(ref.context);
  const files = await readManifestFiles(parts.extensionUri);
  const existing = await readScheduleObjects(access, files, ref);
  const present = presentSchedule(existing);
  const { answers } = asking;
  const chosen = await asking.or(answeredSchedule(answers, present), () =>
    askSchedule(snapshot.name, present),
  );
  if (chosen === noSchedule) {
    const plan = await prepareUnschedule(access, snapshot);
    return runPlanned(parts, {
      ...{ plan, asking, verb: 'Remove Schedule' },
      message: () =>
        `Backups of ${snapshot.name} are no longer scheduled; the volume with its backups is kept`,
    });
  }
  const { credentials } = await parts.inventory.dialer(ref);
  const plan = await prepareSchedule(access, files, snapshot, chosen, existing, credentials);
  return runPlanned(parts, {
    ...{ plan, asking, verb: 'Schedule' },
    deployment: { manifests: plan.objects, credentials: () => Promise.resolve(credentials) },
    message: () => `${snapshot.name} is backed up ${scheduleText(chosen)}`,
  });
}

/** The schedule that an argument gives, with the present one or the usual one for the rest; undefined where it gives none. */
function answeredSchedule(
  answers: Answers,
  present: Schedule | undefined,
): Schedule | typeof noSchedule | undefined {
  const schedule = textAnswer(answers, 'schedule');
  if (schedule === undefined) return undefined;
  if (schedule === noSchedule) return noSchedule;
  const before = present ?? usualSchedule;
  const storageClass = textAnswer(answers, 'storageClass') ?? before.storageClass;
  return {
    schedule,
    timeZone: textAnswer(answers, 'timeZone') ?? before.timeZone,
    keep: numberAnswer(answers, 'keep') ?? before.keep,
    keepDays: numberAnswer(answers, 'keepDays') ?? before.keepDays,
    storage: textAnswer(answers, 'storage') ?? before.storage,
    ...(storageClass === undefined ? {} : { storageClass }),
  };
}
