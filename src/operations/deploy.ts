import type { KubernetesAccess, KubernetesObject } from '../kubernetes/kubernetesAccess.ts';
import { describeRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { isAbort, messageOf, UserError } from '../model/errors.ts';
import type { NodeView } from '../model/nodeView.ts';
import type { Plan, Progress } from '../model/plan.ts';
import { slotCount } from '../model/slots.ts';
import type { PodFacts } from '../model/snapshot.ts';
import { askNodes } from './deploy/askNodes.ts';
import { podCount, type DeployAnswers } from './deploy/answers.ts';
import { checkFacts, readDeployFacts, stateAnnotation, type DeployFacts } from './deploy/preflight.ts';
import {
  generatedSecret,
  instanceLabel,
  managedBy,
  managedByLabel,
  renderManifests,
} from './deploy/render.ts';
import { waitForPods, type Look, type WaitPorts } from './deploy/waitForPods.ts';

export interface DeployPlan extends Plan {
  readonly ref: KubernetesClusterRef;
  readonly answers: DeployAnswers;
  readonly objects: readonly KubernetesObject[];
  /** An unfinished deployment with the same answers is there; this one goes on with it. */
  readonly goesOn: boolean;
}

export interface DeployPorts extends WaitPorts {
  /** Asks the server in a pod for its own view; rejects where it does not answer. */
  readonly readNode: (namespace: string, pod: string, port: number) => Promise<NodeView>;
  readonly randomPassword: () => string;
}

export interface Deployed {
  /** From the first object sent until all pods were ready and every node had all slots covered. */
  readonly seconds: number;
}

/** Reads what is there and plans. Changes nothing. @param files the files of manifests/, by their paths in it */
export async function prepareDeploy(
  access: KubernetesAccess,
  files: ReadonlyMap<string, string>,
  answers: DeployAnswers,
): Promise<DeployPlan> {
  const objects = renderManifests(files, answers);
  return planDeploy(access.context, answers, objects, await readDeployFacts(access, answers, objects));
}

/** Throws a UserError where the deployment cannot begin. */
export function planDeploy(
  context: string,
  answers: DeployAnswers,
  objects: readonly KubernetesObject[],
  facts: DeployFacts,
): DeployPlan {
  const goesOn = checkFacts(context, answers, facts, objects);
  const pods = podCount(answers);
  const ref = { context, namespace: answers.namespace, name: answers.name };
  const kinds = objects.map(({ kind, metadata: { name } }) => `${kind} ${name}`);
  const secret = answers.auth === 'generate' ? [`Secret ${generatedSecret(answers.name).secret}`] : [];
  return {
    title: `Deploy ${describeRef(ref)}: ${answers.masters} masters, ${answers.replicasPerMaster} replicas each`,
    ref,
    answers,
    objects,
    goesOn,
    steps: [
      { kind: 'applyManifests', text: `Make ${[...secret, ...kinds].join(', ')}` },
      { kind: 'waitForPods', pods, text: `Wait until ${pods} pods are ready` },
      { kind: 'waitForCluster', text: 'Wait until every node says that all 16,384 slots are covered' },
    ],
    warnings: warningsFor(answers, facts, goesOn),
    losses: [],
  };
}

function warningsFor(answers: DeployAnswers, facts: DeployFacts, goesOn: boolean): readonly string[] {
  const warnings: string[] = [];
  if (answers.auth === 'none')
    warnings.push('Without a password, whoever reaches the pods can read and write all keys.');
  if (answers.replicasPerMaster === 0)
    warnings.push('Without replicas, the keys of a master that fails are lost.');
  if (facts.storageClass === 'unknown')
    warnings.push('It could not be checked whether there is a default StorageClass.');
  if (goesOn)
    warnings.push('A deployment with the same answers was begun and not finished; this one goes on with it.');
  return warnings;
}

/**
 * Applies the objects and waits until the cluster is whole. On failure or cancellation everything that was made is
 * left, and the error says so.
 */
export async function runDeploy(plan: DeployPlan, ports: DeployPorts): Promise<Deployed> {
  const started = ports.now();
  try {
    await ensurePassword(plan, ports);
    const statefulSet = await applyAll(plan, ports);
    const { uid } = statefulSet.metadata as { readonly uid?: string };
    const { namespace, name } = plan.answers;
    const awaited = { namespace, statefulSet: name, uid, pods: podCount(plan.answers) };
    const nodes = askNodes(ports.readNode, ports.now);
    await waitForPods(ports, awaited, (pods, wake) =>
      lookAtCluster(plan.answers, pods, nodes.views(pods, wake)),
    );
    const seconds = (ports.now() - started) / 1000;
    await applyState(plan, ports, 'deployed');
    return { seconds };
  } catch (error) {
    throw leftBehind(plan, error);
  }
}

async function ensurePassword(
  { answers }: DeployPlan,
  { access, randomPassword, signal }: DeployPorts,
): Promise<void> {
  if (answers.auth !== 'generate') return;
  const { secret, key } = generatedSecret(answers.name);
  const labels = {
    'app.kubernetes.io/name': 'redis-cluster',
    [instanceLabel]: answers.name,
    [managedByLabel]: managedBy,
  };
  const metadata = { name: secret, namespace: answers.namespace, labels };
  try {
    const stringData = { [key]: randomPassword() };
    await access.create({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData }, signal);
  } catch (error) {
    // One that is there is the password of the volumes that may be there too.
    if (!(error instanceof UserError && error.reason === 'already-exists')) throw error;
  }
}

async function applyAll(plan: DeployPlan, ports: DeployPorts): Promise<KubernetesObject> {
  const { access, report, signal } = ports;
  const others = plan.objects.filter((object) => object.kind !== 'StatefulSet');
  report({ text: `applying ${plan.objects.length} objects` });
  await Promise.all(others.map((object) => access.apply(object, signal)));
  await applyState(plan, ports, 'deploying');
  const { namespace, name } = plan.answers;
  const made = await access.get('apps/v1', 'StatefulSet', namespace, name);
  if (made === undefined)
    throw new UserError('not-found', `StatefulSet ${name} was deleted by somebody else.`);
  return made;
}

async function applyState(
  { objects }: DeployPlan,
  { access, signal }: DeployPorts,
  state: 'deploying' | 'deployed',
): Promise<void> {
  for (const object of objects) {
    if (object.kind !== 'StatefulSet') continue;
    const annotations = { ...object.metadata.annotations, [stateAnnotation]: state };
    await access.apply({ ...object, metadata: { ...object.metadata, annotations } }, signal);
  }
}

function lookAtCluster(answers: DeployAnswers, pods: readonly PodFacts[], views: readonly NodeView[]): Look {
  const total = podCount(answers);
  const scheduled = pods.filter((pod) => pod.worker !== undefined).length;
  const ready = pods.filter((pod) => pod.ready).length;
  const joined = views.filter((view) => view.others.length > 0).length;
  const slots = Math.max(0, ...views.map((view) => view.slotsAssigned));
  const progress: Progress = {
    text: `scheduled ${scheduled}/${total}, ready ${ready}/${total}, joined ${joined}/${total}, slots ${slots}/${slotCount}`,
    done: ready,
    total,
    unit: 'pods',
  };
  return { done: ready === total && isWhole(answers, views), progress };
}

/** Every node says that all slots are covered, knows all others, and as many are replicas as were asked for. */
function isWhole(answers: DeployAnswers, views: readonly NodeView[]): boolean {
  const total = podCount(answers);
  const replicas = views.filter((view) => view.replication.role === 'replica');
  return (
    views.length === total &&
    views.every(
      (view) =>
        view.clusterState === 'ok' && view.slotsAssigned === slotCount && view.others.length === total - 1,
    ) &&
    replicas.length === total - answers.masters &&
    replicas.every((view) => view.replication.linkUp === true)
  );
}

function leftBehind({ ref }: DeployPlan, error: unknown): Error {
  const left = `What was made so far is left as it is in context ${ref.context}, namespace ${ref.namespace}; Delete Cluster… removes it.`;
  if (isAbort(error)) {
    return Object.assign(new Error(`The deployment of ${ref.name} was cancelled. ${left}`), {
      name: 'AbortError',
    });
  }
  if (!(error instanceof UserError)) return error instanceof Error ? error : new Error(messageOf(error));
  return new UserError(error.reason, `${ref.name} was not deployed. ${error.message} ${left}`, {
    cause: error,
  });
}
