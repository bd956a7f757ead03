import * as vscode from 'vscode';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { prepareUpgrade, runUpgrade, type Upgraded } from '../../operations/upgrade.ts';
import { checkRequest, type UpgradeRequest } from '../../operations/upgrade/answers.ts';
import type { Parts } from '../parts.ts';
import { askPods } from '../podAsking.ts';
import { runOperation } from '../runOperation.ts';
import { answersOf, clusterOf, picked, textAnswer, type Answers } from '../target.ts';
import { waiting } from '../waiting.ts';

/** Renews a cluster's image, memory, volumes or settings, one pod at a time, while clients go on. */
export async function upgrade(parts: Parts, argument: unknown): Promise<Outcome | (Outcome & Upgraded)> {
  const snapshot = await parts.inventory.fresh(await clusterOf(parts, argument));
  const answers = answersOf(parts, argument);
  const given = requestIn(answers);
  const isAsked = Object.keys(given).length === 0;
  const request = isAsked ? await askRequest(snapshot) : given;
  const { ref } = snapshot;
  const access = await parts.inventory.access(isKubernetesRef(ref) ? ref.context : '');
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
        const message = `${snapshot.name}: ${plan.difference.image?.to ?? 'changed as asked'}, ${pods} ${pods === 1 ? 'pod' : 'pods'} renewed in ${upgraded.seconds.toFixed(0)} s.`;
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

const questions = {
  image: { label: 'Image', prompt: 'Which image? Its tag should say the version.', empty: 'redis:8.6.3' },
  memory: { label: 'Memory', prompt: 'How much memory may each pod use?', empty: '512Mi' },
  storage: {
    label: 'Volume size',
    prompt: 'How large is each volume to be? Volumes only grow.',
    empty: '2Gi',
  },
  config: {
    label: 'Configuration',
    prompt: 'Which setting of redis.conf, and its value?',
    empty: 'maxmemory-policy allkeys-lru',
  },
} as const;

async function askRequest(snapshot: ClusterSnapshot): Promise<UpgradeRequest> {
  const image = snapshot.nodes.find((node) => node.pod !== undefined)?.pod?.image ?? '';
  const descriptions: Readonly<Record<string, string>> = {
    image,
    config: 'redis.conf, kept in the ConfigMap',
  };
  const items = (Object.keys(questions) as (keyof typeof questions)[]).map((id) => ({
    label: questions[id].label,
    description: descriptions[id] ?? '',
    id,
  }));
  const title = `Upgrade ${snapshot.name}`;
  const { id } = await picked(
    vscode.window.showQuickPick(items, { title, placeHolder: 'What is to be different?' }),
  );
  const { prompt, empty } = questions[id];
  const text = (
    await picked(
      vscode.window.showInputBox({
        title,
        prompt,
        placeHolder: empty,
        value: id === 'image' ? image : '',
        ignoreFocusOut: true,
        validateInput: (value) => problemWith(id, value.trim()),
      }),
    )
  ).trim();
  return requestOf(id, text);
}

function requestOf(id: keyof typeof questions, text: string): UpgradeRequest {
  if (id !== 'config') return { [id]: text };
  const [name = '', ...words] = text.split(/\s+/);
  const value = words.join(' ');
  return { config: { [name.toLowerCase()]: value === '""' ? '' : value } };
}

function problemWith(id: keyof typeof questions, text: string): string | undefined {
  if (id === 'config' && !/^\S+\s+\S/.test(text)) return 'Write a name and a value, with a blank between.';
  try {
    checkRequest(requestOf(id, text));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
