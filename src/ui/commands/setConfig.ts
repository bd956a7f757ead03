import * as vscode from 'vscode';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Plan } from '../../model/plan.ts';
import { planSetConfig, type SetConfigRequest } from '../../operations/setConfig.ts';
import { readSetConfigFacts } from '../../operations/setConfig/facts.ts';
import { confirmationOf } from '../confirmation.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../runPlanned.ts';
import { answersOf, clusterOf, picked, rowTarget, textAnswer, type Answers } from '../target.ts';

/** Changes a setting on all servers, or on one, and says the old value to go back to. */
export async function setConfig(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & { readonly before: readonly string[] })> {
  const snapshot = await parts.inventory.fresh(await clusterOf(parts, argument));
  const answers = answersOf(parts, argument);
  const target = rowTarget(parts, argument);
  const node = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const given = settingIn(answers);
  const { name, value } = given ?? (await askSetting(snapshot.name));
  const request: SetConfigRequest = { name, value, ...(node === undefined ? {} : { node }) };
  const { ref } = snapshot;
  const access = isKubernetesRef(ref) ? await parts.inventory.access(ref.context) : undefined;
  const facts = await readSetConfigFacts(snapshot, request, await parts.inventory.dialer(ref), access);
  const plan = planSetConfig(snapshot, request, facts);
  const before = valuesBefore(plan);
  const result = await runPlanned(parts, {
    plan,
    confirmation: confirmationOf(plan, snapshot, answers, given === undefined),
    verb: 'Set',
    message: ({ cancelled }) =>
      cancelled
        ? `${name} was not set everywhere`
        : `${name} is ${value === '' ? '""' : value} now; before: ${before.map((one) => (one === '' ? '""' : one)).join(', ') || 'the same'}`,
  });
  return { ...result, before };
}

function valuesBefore({ steps }: Plan): readonly string[] {
  return steps.flatMap((step) => (step.kind === 'setConfig' ? [step.before] : []));
}

interface Setting {
  readonly name: string;
  readonly value: string;
}

function settingIn(answers: Answers): Setting | undefined {
  const name = textAnswer(answers, 'name');
  const given = answers['value'];
  const value = typeof given === 'number' ? String(given) : textAnswer(answers, 'value');
  if (name === undefined || value === undefined || answers['cluster'] === undefined) return undefined;
  return { name: name.toLowerCase(), value };
}

async function askSetting(cluster: string): Promise<Setting> {
  const options = {
    title: `Set a setting of ${cluster}`,
    prompt: 'Which setting, and its value?',
    placeHolder: 'maxmemory-policy allkeys-lru',
    ignoreFocusOut: true,
    validateInput: (value: string) =>
      /^\s*\S+\s+\S/.test(value) ? undefined : 'Write a name and a value, with a blank between.',
  };
  const [name = '', ...words] = (await picked(vscode.window.showInputBox(options))).trim().split(/\s+/);
  const value = words.join(' ');
  return { name: name.toLowerCase(), value: value === '""' ? '' : value };
}
