import * as vscode from 'vscode';
import { prepareDeploy } from '../../operations/deploy.ts';
import { checkAnswers, type DeployAnswers } from '../../operations/manifests/answers.ts';
import { certificateSecret } from '../../operations/manifests/facts.ts';
import { generatedSecret } from '../../operations/manifests/render.ts';
import type { KubernetesClusterRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { Credentials } from '../../redis/nodeConnection.ts';
import { ask, askAnswers, givenAnswers } from '../questions/deployAnswers.ts';
import { readManifestFiles } from '../manifestFiles.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { revealNew } from '../revealNew.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { picked, rowTarget, textAnswer } from '../questions/target.ts';

const title = 'Deploy Cluster';

/** Deploys the bundled manifests and waits until every node of the new cluster has all slots covered. */
export async function deploy(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & { cluster: KubernetesClusterRef })> {
  const asking = new Asking(parts, argument);
  const { answers: given } = asking;
  const isAsked = ['context', 'namespace', 'name'].some((field) => given[field] === undefined);
  const files = await readManifestFiles(parts.extensionUri);
  const context = await asking.or(textAnswer(given, 'context'), () => askContext(parts, argument));
  const access = await parts.inventory.access(context);
  const place = {
    namespace: await asking.or(textAnswer(given, 'namespace'), () => askNamespace(parts, argument, context)),
    name: await asking.or(textAnswer(given, 'name'), () =>
      ask(title, 'Name of the cluster', 'redis-cluster'),
    ),
  };
  const rest = isAsked ? await askAnswers(given, title) : givenAnswers(given);
  const answers: DeployAnswers = { ...place, ...rest };
  const { name } = answers;
  checkAnswers(answers);
  const plan = await prepareDeploy(access, files, answers, isAsked ? askToAdopt : undefined);
  const result = await runPlanned(parts, {
    ...{ plan, asking, verb: 'Deploy' },
    deployment: { manifests: plan.objects, credentials: () => credentialsOf(access, answers) },
    message: ({ seconds, cancelled }) =>
      cancelled
        ? `Started to deploy ${name}`
        : `${name} is ready after ${seconds.toFixed(1)} s: every node reports all 16,384 slots covered`,
  });
  if (result.outcome !== 'done') return result;
  void revealNew(parts, plan.ref, isAsked);
  return { ...result, cluster: plan.ref };
}

async function credentialsOf(
  access: KubernetesAccess,
  { auth, name, namespace, overlays = [] }: DeployAnswers,
): Promise<Credentials> {
  const own = { secret: certificateSecret(name), key: 'ca.crt' };
  const [password, ca] = await Promise.all([
    auth === 'none'
      ? undefined
      : access.readSecret(namespace, auth === 'generate' ? generatedSecret(name) : auth),
    overlays.includes('tls') ? access.readSecret(namespace, own) : undefined,
  ]);
  return {
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { tls: { ca } }),
  };
}

/** True, or an AbortError: what else can be done about the volumes is done elsewhere. */
async function askToAdopt(volumes: readonly string[]): Promise<boolean> {
  const message = `Volumes of an earlier cluster with the same name, shape and password still exist: ${someOf(volumes)}.`;
  const detail =
    'The new cluster can reuse them with all their keys. To start empty, cancel, then choose another name or delete the volumes.';
  await picked(vscode.window.showWarningMessage(message, { modal: true, detail }, 'Reuse Volumes'));
  return true;
}

function someOf(names: readonly string[]): string {
  const rest = names.length - 6;
  return rest < 2 ? names.join(', ') : `${names.slice(0, 6).join(', ')} and ${rest} more`;
}

async function askContext(parts: Parts, argument: unknown): Promise<string> {
  const target = rowTarget(parts, argument);
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

async function askNamespace(parts: Parts, argument: unknown, context: string): Promise<string> {
  const target = rowTarget(parts, argument);
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
