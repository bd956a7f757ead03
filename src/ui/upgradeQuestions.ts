import * as vscode from 'vscode';
import { messageOf } from '../model/errors.ts';
import { checkRequest, type UpgradeRequest } from '../operations/upgrade/answers.ts';
import type { Present } from '../operations/upgrade/present.ts';
import { picked } from './target.ts';

const questions = {
  image: { label: 'Image', prompt: 'Which image? Its tag should say the version.', example: 'redis:8.6.3' },
  memory: {
    label: 'Memory',
    prompt: 'Which memory limit for each server? maxmemory follows, at 70 % of it.',
    example: '512Mi',
  },
  storage: {
    label: 'Volume size',
    prompt: 'How large is each volume to be? Volumes only grow.',
    example: '2Gi',
  },
  config: {
    label: 'Configuration',
    prompt: 'Which setting of redis.conf, and its value?',
    example: 'maxmemory-policy allkeys-lru',
  },
} as const;

type Question = keyof typeof questions;

/** Asks what is to be different: one thing, beginning with how it is now. */
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
    vscode.window.showQuickPick(items, { title, placeHolder: 'What is to be different?' }),
  );
  const { prompt, example } = questions[id];
  const text = await picked(
    vscode.window.showInputBox({
      ...{ title, prompt, placeHolder: `Such as ${example}`, value: now[id] ?? '', ignoreFocusOut: true },
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
    return `A name and a value with a blank between, such as ${questions.config.example}`;
  try {
    checkRequest(requestOf(id, text));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
