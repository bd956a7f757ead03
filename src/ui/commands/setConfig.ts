import * as vscode from 'vscode';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import { planSetConfig } from '../../operations/setConfig.ts';
import { readSetConfigFacts, type SetConfigRequest } from '../../operations/settings/facts.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { picked, textAnswer, type Answers } from '../questions/target.ts';

/** Changes a setting on all servers, or on one, and reports the old value. */
export async function setConfig(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & { readonly before: readonly string[] })> {
  const asking = new Asking(parts, argument);
  const snapshot = await parts.inventory.fresh(await asking.cluster());
  const { answers, target } = asking;
  const node = target?.kind === 'node' ? target.nodeId : textAnswer(answers, 'node');
  const given = settingIn(answers);
  const { name, value } = await asking.or(given, () => askSetting(snapshot.name));
  const request: SetConfigRequest = { name, value, ...(node === undefined ? {} : { node }) };
  const { ref } = snapshot;
  const access = isKubernetesRef(ref) ? await parts.inventory.access(ref.context) : undefined;
  const facts = await readSetConfigFacts(snapshot, request, await parts.inventory.dialer(ref), access);
  const plan = planSetConfig(snapshot, request, facts);
  const before = valuesBefore(plan);
  const result = await runPlanned(parts, {
    plan,
    asking,
    verb: 'Set Configuration',
    message: ({ cancelled }) =>
      cancelled
        ? `${name} was not set on all servers`
        : `${name} is now ${value === '' ? '""' : value} (before: ${before.map((old) => (old === '' ? '""' : old)).join(', ') || 'the same'})`,
  });
  return { ...result, before };
}

function valuesBefore({ steps }: Plan): readonly string[] {
  return steps.flatMap((step) =>
    step.kind === 'setConfig' && step.before !== undefined ? [step.before] : [],
  );
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
    title: `Set Configuration of ${cluster}`,
    prompt: 'Enter a setting and its new value, separated by a space.',
    placeHolder: 'maxmemory-policy allkeys-lru',
    ignoreFocusOut: true,
    validateInput: (value: string) =>
      /^\s*\S+\s+\S/.test(value) ? undefined : 'Enter a name and a value separated by a space.',
  };
  const [name = '', ...words] = (await picked(vscode.window.showInputBox(options))).trim().split(/\s+/);
  const value = words.join(' ');
  return { name: name.toLowerCase(), value: value === '""' ? '' : value };
}
