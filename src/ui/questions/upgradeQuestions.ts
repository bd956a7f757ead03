import * as vscode from 'vscode';
import { messageOf } from '../../model/errors.ts';
import { checkRequest, type UpgradeRequest } from '../../operations/rollout/answers.ts';
import type { Present } from '../../operations/rollout/present.ts';
import { picked } from './target.ts';

const questions = {
  image: { label: 'Image', prompt: 'New image. The tag should name the version.', example: 'redis:8.6.3' },
  memory: {
    label: 'Memory',
    prompt: 'New memory limit per server. maxmemory is set to 70% of it.',
    example: '512Mi',
  },
  storage: {
    label: 'Volume Size',
    prompt: 'New size of each volume. Volumes can only grow.',
    example: '2Gi',
  },
  config: {
    label: 'Configuration',
    prompt: 'Setting of redis.conf and its new value, separated by a space.',
    example: 'maxmemory-policy allkeys-lru',
  },
} as const;

type Question = keyof typeof questions;

/** Asks for one change, starting from the present value. */
export async function askUpgrade(name: string, present: Present): Promise<UpgradeRequest> {
  const title = `Upgrade ${name}`;
  const now: Readonly<Record<Question, string | undefined>> = {
    image: present.image,
    memory: present.memory ?? '',
    storage: present.storage,
    config: '',
  };
  const items = (Object.keys(questions) as Question[])
    .filter((id) => now[id] !== undefined)
    .map((id) => ({ label: questions[id].label, description: describe(id, now[id] ?? ''), id }));
  const { id } = await picked(
    vscode.window.showQuickPick(items, { title, placeHolder: 'Select what to change' }),
  );
  const { prompt, example } = questions[id];
  const text = await picked(
    vscode.window.showInputBox({
      ...{
        title,
        prompt,
        placeHolder: `For example, ${example}`,
        value: now[id] ?? '',
        ignoreFocusOut: true,
      },
      validateInput: (value) => problemWith(id, value.trim()),
    }),
  );
  return requestOf(id, text.trim());
}

function describe(id: Question, now: string): string {
  if (id === 'config') return 'a setting of redis.conf, kept in the ConfigMap';
  return now === '' ? 'no limit' : now;
}

function requestOf(id: Question, text: string): UpgradeRequest {
  if (id !== 'config') return { [id]: text };
  const [name = '', ...words] = text.split(/\s+/);
  const value = words.join(' ');
  return { config: { [name.toLowerCase()]: value === '""' ? '' : value } };
}

function problemWith(id: Question, text: string): string | undefined {
  if (id === 'config' && !/^\S+\s+\S/.test(text))
    return `Enter a name and a value separated by a space, such as ${questions.config.example}.`;
  try {
    checkRequest(requestOf(id, text));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
