import { isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import { agreed } from '../../operations/servers/agreed.ts';
import { prepareUpgrade } from '../../operations/upgrade.ts';
import type { UpgradeRequest } from '../../operations/rollout/answers.ts';
import { readPresent } from '../../operations/rollout/present.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { restartedText, runPlanned } from '../run/runPlanned.ts';
import { textAnswer, type Answers } from '../questions/target.ts';
import { askUpgrade } from '../questions/upgradeQuestions.ts';

/** Changes a cluster's image, memory, volumes or settings, one pod at a time, while clients read and write. */
export async function upgrade(parts: Parts, argument: unknown): Promise<Outcome | (Outcome & PlanResult)> {
  const asking = new Asking(parts, argument);
  const asked = await asking.cluster();
  const snapshot = await toChange(parts, argument, await agreed(() => parts.inventory.fresh(asked)));
  const { answers } = asking;
  const given = requestIn(answers);
  const { ref } = snapshot;
  const access = await parts.inventory.access(isKubernetesRef(ref) ? ref.context : '');
  const request = await asking.or(Object.keys(given).length === 0 ? undefined : given, async () =>
    askUpgrade(snapshot.name, await readPresent(access, snapshot)),
  );
  const plan = await prepareUpgrade(access, snapshot, request);
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Upgrade',
    message: (result) => {
      const what = `${snapshot.name} (${plan.change})`;
      return restartedText({ done: `Upgraded ${what}`, begun: `Started to upgrade ${what}` }, result);
    },
  });
}

function requestIn(answers: Answers): UpgradeRequest {
  const [image, memory, storage] = ['image', 'memory', 'storage'].map((field) => textAnswer(answers, field));
  const config = configIn(answers['config']);
  return {
    ...(image === undefined ? {} : { image }),
    ...(memory === undefined ? {} : { memory }),
    ...(storage === undefined ? {} : { storage }),
    ...(config === undefined ? {} : { config }),
  };
}

function configIn(value: unknown): UpgradeRequest['config'] {
  if (value === undefined) return undefined;
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = isRecord ? Object.entries(value as Readonly<Record<string, unknown>>) : [];
  if (!isRecord || entries.some(([, one]) => typeof one !== 'string' && typeof one !== 'number')) {
    throw new UserError(
      'invalid-input',
      '"config" must be an object of settings, each a string or a number.',
    );
  }
  return Object.fromEntries(entries.map(([name, one]) => [name, String(one)]));
}
