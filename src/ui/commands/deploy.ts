import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { prepareDeploy, runDeploy, type Deployed } from '../../operations/deploy.ts';
import { checkAnswers, type DeployAnswers } from '../../operations/deploy/answers.ts';
import { defaultImage } from '../../operations/deploy/defaultImage.ts';
import { generatedSecret } from '../../operations/deploy/render.ts';
import type { KubernetesClusterRef } from '../../model/clusterRef.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { Credentials } from '../../redis/nodeConnection.ts';
import { readManifestFiles } from '../manifestFiles.ts';
import type { Parts } from '../parts.ts';
import { askPods } from '../podAsking.ts';
import { runOperation } from '../runOperation.ts';
import { answersOf, numberAnswer, picked, rowTarget, textAnswer, type Answers } from '../target.ts';
import { waiting } from '../waiting.ts';

const title = 'Deploy Cluster';

/** Deploys the bundled manifests and waits until every node of the new cluster has all slots covered. */
export async function deploy(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & Deployed & { cluster: KubernetesClusterRef })> {
  const given = answersOf(parts, argument);
  const isAsked = ['context', 'namespace', 'name'].some((field) => given[field] === undefined);
  const files = await readManifestFiles(parts.extensionUri);
  const context = textAnswer(given, 'context') ?? (await askContext(parts, argument));
  const access = await parts.inventory.access(context);
  const place = {
    namespace: textAnswer(given, 'namespace') ?? (await askNamespace(parts, argument, context)),
    name: textAnswer(given, 'name') ?? (await ask('Name of the cluster', 'redis-cluster')),
  };
  const answers: DeployAnswers = {
    ...place,
    ...(isAsked ? await askRest(given) : restOf(given)),
    image: textAnswer(given, 'image') ?? defaultImage(files),
    auth: authIn(given),
  };
  const { name } = answers;
  checkAnswers(answers);
  const plan = await prepareDeploy(access, files, answers);
  return runOperation(parts, {
    plan,
    confirmation: isAsked && given['confirmed'] !== true ? 'button' : 'none',
    verb: 'Deploy',
    run: async (signal, report) => {
      const asking = askPods(access, await parts.adapters.reading(), () => credentialsOf(access, answers));
      try {
        const ports = { access, signal, report, readNode: asking.readNode, randomPassword, ...waiting };
        const { seconds } = await runDeploy(plan, ports);
        const message = `${name} is ready after ${seconds.toFixed(1)} s: every node has all 16,384 slots covered.`;
        return { outcome: 'done' as const, message, seconds, cluster: plan.ref };
      } finally {
        asking.close();
      }
    },
  });
}

type Rest = Omit<DeployAnswers, 'namespace' | 'name' | 'image' | 'auth'>;

/** What has a default that suits most. */
function restOf(given: Answers): Rest {
  const memory = textAnswer(given, 'memory');
  return {
    masters: numberAnswer(given, 'masters') ?? 3,
    replicasPerMaster: numberAnswer(given, 'replicasPerMaster') ?? 1,
    storage: textAnswer(given, 'storage') ?? '1Gi',
    ...(memory === undefined ? {} : { memory }),
  };
}

async function askRest(given: Answers): Promise<Rest> {
  const rest = restOf(given);
  const shape = given['masters'] === undefined ? await askShape() : {};
  const storage = textAnswer(given, 'storage') ?? (await ask('Size of the volume of each pod', rest.storage));
  return { ...rest, ...shape, storage };
}

async function credentialsOf(
  access: KubernetesAccess,
  { auth, name, namespace }: DeployAnswers,
): Promise<Credentials> {
  if (auth === 'none') return {};
  const password = await access.readSecret(namespace, auth === 'generate' ? generatedSecret(name) : auth);
  return password === undefined ? {} : { password };
}

/** 192 random bits, in characters that need no quoting anywhere. */
function randomPassword(): string {
  return randomBytes(24).toString('base64url');
}

function authIn(given: Answers): DeployAnswers['auth'] {
  const auth = given['auth'] ?? 'generate';
  if (auth === 'generate' || auth === 'none') return auth;
  if (typeof auth === 'object' && 'secret' in auth && 'key' in auth) {
    const { secret, key } = auth;
    if (typeof secret === 'string' && typeof key === 'string') return { secret, key };
  }
  throw new UserError('invalid-input', '"auth" is "generate", "none" or {secret, key}.');
}

async function askContext(parts: Parts, argument: unknown): Promise<string> {
  const target = rowTarget(parts, argument);
  if (target !== undefined && 'context' in target) return target.context;
  const names = parts.inventory.contexts().map((context) => context.name);
  if (names.length === 0) {
    throw new UserError(
      'not-found',
      'No kubeconfig context is known, so there is no Kubernetes to deploy to. Set redisCluster.kubeconfigs, or start the sandbox.',
    );
  }
  return picked(vscode.window.showQuickPick(names, { title, placeHolder: 'To which context?' }));
}

async function askNamespace(parts: Parts, argument: unknown, context: string): Promise<string> {
  const target = rowTarget(parts, argument);
  if (target?.kind === 'namespace') return target.namespace;
  const access = await parts.inventory.access(context);
  try {
    const names = await access.listNamespaces();
    const own = names.filter((name) => !name.startsWith('kube-'));
    return await picked(
      vscode.window.showQuickPick(own, { title, placeHolder: `To which namespace of ${context}?` }),
    );
  } catch (error) {
    if (!(error instanceof UserError && error.reason === 'forbidden')) throw error;
    return ask(`Namespace of ${context} (you may not list them)`, access.defaultNamespace);
  }
}

function ask(prompt: string, value: string): Promise<string> {
  return picked(vscode.window.showInputBox({ title, prompt, value, ignoreFocusOut: true }));
}

async function askShape(): Promise<{ readonly masters: number; readonly replicasPerMaster: number }> {
  const read = (text: string): { masters: number; replicasPerMaster: number } => {
    const [, masters, replicas] = /^\s*(\d+)\s*[x×*]\s*(\d+)\s*$/.exec(text) ?? [];
    if (masters === undefined || replicas === undefined)
      throw new UserError('invalid-input', 'Write masters x replicas, such as 3 x 1.');
    return { masters: Number(masters), replicasPerMaster: Number(replicas) };
  };
  const text = await picked(
    vscode.window.showInputBox({
      title,
      prompt: 'Masters x replicas of each',
      value: '3 x 1',
      ignoreFocusOut: true,
      validateInput: (value) => {
        try {
          return read(value).masters < 3 ? 'A Redis Cluster needs at least 3 masters.' : undefined;
        } catch (error) {
          return messageOf(error);
        }
      },
    }),
  );
  return read(text);
}
