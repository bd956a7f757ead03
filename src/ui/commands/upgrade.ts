import { isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { prepareUpgrade, runUpgrade, type Upgraded } from '../../operations/upgrade.ts';
import type { UpgradeRequest } from '../../operations/upgrade/answers.ts';
import { readPresent } from '../../operations/upgrade/present.ts';
import type { Parts } from '../parts.ts';
import { askPods } from '../podAsking.ts';
import { runOperation } from '../runOperation.ts';
import { answersOf, clusterOf, textAnswer, type Answers } from '../target.ts';
import { askUpgrade } from '../upgradeQuestions.ts';
import { waiting } from '../waiting.ts';

/** Renews a cluster's image, memory, volumes or settings, one pod at a time, while clients go on. */
export async function upgrade(parts: Parts, argument: unknown): Promise<Outcome | (Outcome & Upgraded)> {
  const snapshot = await parts.inventory.fresh(await clusterOf(parts, argument));
  const answers = answersOf(parts, argument);
  const given = requestIn(answers);
  const isAsked = Object.keys(given).length === 0;
  const { ref } = snapshot;
  const access = await parts.inventory.access(isKubernetesRef(ref) ? ref.context : '');
  const request = isAsked ? await askUpgrade(snapshot.name, await readPresent(access, snapshot)) : given;
  const plan = await prepareUpgrade(access, snapshot, request);
  const isConfirmed = answers['confirmed'] === true || (!isAsked && plan.losses.length === 0);
  return runOperation(parts, {
    plan,
    confirmation: isConfirmed ? 'none' : plan.losses.length > 0 ? { word: snapshot.name } : 'button',
    verb: 'Upgrade',
    run: async (signal, report) => {
      const { holdConnection } = await parts.adapters.redis();
      const dialer = await parts.inventory.dialer(ref);
      const asking = askPods(access, await parts.adapters.reading(), () =>
        Promise.resolve(dialer.credentials),
      );
      try {
        const upgraded = await runUpgrade(plan, {
          ...{ access, signal, report, ...waiting, readNode: asking.readNode },
          withNode: async (namespace, pod, port, use) => {
            const connection = await asking.dial(namespace, pod, port);
            try {
              return await use(connection);
            } finally {
              connection.close();
            }
          },
          holdNode: async (namespace, pod, port) => holdConnection(await asking.dial(namespace, pod, port)),
        });
        const pods = upgraded.updatedPods.length;
        const message = `${snapshot.name} is upgraded (${plan.change}): ${pods} ${pods === 1 ? 'pod' : 'pods'} renewed in ${upgraded.seconds.toFixed(0)} s.`;
        return { ...upgraded, outcome: 'done' as const, message };
      } finally {
        asking.close();
      }
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
    throw new UserError('invalid-input', '"config" is an object of settings, each a text or a number.');
  }
  return Object.fromEntries(entries.map(([name, one]) => [name, String(one)]));
}
