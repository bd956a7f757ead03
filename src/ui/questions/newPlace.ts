import * as vscode from 'vscode';
import { UserError } from '../../model/errors.ts';
import type { Parts } from '../parts.ts';
import type { Asking } from './asking.ts';
import { ask } from './deployAnswers.ts';
import { picked, textAnswer, type Answers } from './target.ts';

/** Where a new cluster is to be: as answered, by the row that the command was started from, or as a person says. */
export async function placeOf(
  parts: Parts,
  asking: Asking,
  title: string,
  { suggestedName, answers = asking.answers }: { readonly suggestedName: string; readonly answers?: Answers },
): Promise<{ readonly context: string; readonly namespace: string; readonly name: string }> {
  const context = await contextOf(parts, asking, title, answers);
  return {
    context,
    namespace: await asking.or(textAnswer(answers, 'namespace'), () =>
      askNamespace(parts, asking, title, context),
    ),
    name: await asking.or(textAnswer(answers, 'name'), () =>
      ask(title, 'Name of the cluster', suggestedName),
    ),
  };
}

/** The context of a new cluster. */
export async function contextOf(
  parts: Parts,
  asking: Asking,
  title: string,
  answers: Answers = asking.answers,
): Promise<string> {
  return await asking.or(textAnswer(answers, 'context'), () => askContext(parts, asking, title));
}

async function askContext(parts: Parts, { target }: Asking, title: string): Promise<string> {
  if (target !== undefined && 'context' in target) return target.context;
  const names = parts.inventory.contexts().map((context) => context.name);
  if (names.length === 0) {
    throw new UserError(
      'not-found',
      'No kubeconfig context was found, so there is no Kubernetes cluster to deploy to. Set redisCluster.kubeconfigs, or start the sandbox.',
    );
  }
  return picked(
    vscode.window.showQuickPick(names, { title, placeHolder: 'Select the context to deploy to' }),
  );
}

async function askNamespace(
  parts: Parts,
  { target }: Asking,
  title: string,
  context: string,
): Promise<string> {
  if (target?.kind === 'namespace') return target.namespace;
  const access = await parts.inventory.access(context);
  try {
    const names = await access.listNamespaces();
    const own = names.filter((name) => !name.startsWith('kube-'));
    return await picked(
      vscode.window.showQuickPick(own, {
        title,
        placeHolder: `Select the namespace of ${context} to deploy to`,
      }),
    );
  } catch (error) {
    if (!(error instanceof UserError && error.reason === 'forbidden')) throw error;
    return ask(
      title,
      `Namespace of ${context} (you are not allowed to list namespaces)`,
      access.defaultNamespace,
    );
  }
}
