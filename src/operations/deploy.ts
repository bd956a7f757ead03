import { quantity } from '../model/quantity.ts';
import type { KubernetesAccess, KubernetesObject } from '../kubernetes/kubernetesAccess.ts';
import { describeRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { isAbort, messageOf, StoppedError, UserError } from '../model/errors.ts';
import type { NodeView } from '../model/nodeView.ts';
import type { Progress } from '../model/progress.ts';
import type { ShownPlan } from './plans/plan.ts';
import { slotCount } from '../model/slots.ts';
import type { PodFacts } from '../model/snapshot.ts';
import { askNodes } from './manifests/askNodes.ts';
import { shapeText, type DeployAnswers } from './manifests/answers.ts';
import { adoptedPods, adoptionProblem, missingOrdinals } from './manifests/adoption.ts';
import { readDeployFacts, type DeployFacts } from './manifests/facts.ts';
import { checkFacts, withState, type Beginning } from './manifests/preflight.ts';
import {
  generatedSecret,
  instanceLabel,
  managedBy,
  managedByLabel,
  renderManifests,
} from './manifests/render.ts';
import { waitForPods, type Look, type WaitPorts } from './statefulSets/waitForPods.ts';

export interface DeployPlan extends ShownPlan {
  readonly ref: KubernetesClusterRef;
  readonly answers: DeployAnswers;
  readonly objects: readonly KubernetesObject[];
  readonly beginning: Beginning;
  readonly pods: number;
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

/**
 * Reads what is there and plans. Changes nothing. Throws a UserError where the deployment cannot begin.
 * @param files the files of manifests/, by their paths in it
 * @param mayAdopt asked where volumes of an earlier cluster could be taken over and the answers do not say
 */
export async function prepareDeploy(
  access: KubernetesAccess,
  files: ReadonlyMap<string, string>,
  answers: DeployAnswers,
  mayAdopt?: (volumes: readonly string[]) => Promise<boolean>,
): Promise<DeployPlan> {
  const facts = await readDeployFacts(access, answers, renderManifests(files, answers));
  const asks = answers.adopt === undefined && facts.claims.length > 0 && facts.existing.length === 0;
  const adopt =
    asks && mayAdopt !== undefined && adoptionProblem(answers, facts) === undefined
      ? await mayAdopt(facts.claims.map(({ name }) => name))
      : answers.adopt;
  const decided = adopt === undefined ? answers : { ...answers, adopt };
  const objects = renderManifests(files, decided, adoptedPods(decided, facts.claims));
  return planDeploy(access.context, decided, objects, facts);
}

/** Throws a UserError where the deployment cannot begin. */
export function planDeploy(
  context: string,
  answers: DeployAnswers,
  objects: readonly KubernetesObject[],
  facts: DeployFacts,
): DeployPlan {
  const beginning = checkFacts(context, answers, facts, objects);
  const pods = adoptedPods(answers, facts.claims);
  const ref = { context, namespace: answers.namespace, name: answers.name };
  const kinds = objects.map(({ kind, metadata: { name } }) => `${kind} ${name}`);
  // Volumes are taken over with their password.
  const makesSecret = answers.auth === 'generate' && beginning !== 'adopts';
  const secret = makesSecret ? [`Secret ${generatedSecret(answers.name).secret}`] : [];
  return {
    title: `Deploy ${describeRef(ref)}: ${shapeText(answers)}`,
    ref,
    operation: 'deploy',
    request: answers,
    answers,
    objects,
    beginning,
    pods,
    steps: [
      { destroys: false, text: `Create ${[...secret, ...kinds].join(', ')}` },
      { destroys: false, text: `Wait until ${podsText(pods, objects)} are ready` },
      { destroys: false, text: 'Wait until every node reports all 16,384 slots as covered' },
    ],
    warnings: warningsFor(answers, facts, beginning),
    losses: [],
  };
}

/** How many pods, of which image, on volumes of which size. */
function podsText(pods: number, objects: readonly KubernetesObject[]): string {
  const set = objects.find(({ kind }) => kind === 'StatefulSet') as SetObject | undefined;
  const image = set?.spec.template.spec.containers[0]?.image ?? '';
  const storage = set?.spec.volumeClaimTemplates?.[0]?.spec.resources.requests.storage;
  return `${quantity(pods, 'pod')} of ${image}${storage === undefined ? '' : ` on volumes of ${storage}`}`;
}

interface SetObject extends KubernetesObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
    readonly volumeClaimTemplates?: readonly {
      readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } };
    }[];
  };
}

function warningsFor(answers: DeployAnswers, facts: DeployFacts, beginning: Beginning): readonly string[] {
  const { overlays = [] } = answers;
  const gone = missingOrdinals(facts.claims);
  const warnings: readonly (readonly [applies: boolean, text: string])[] = [
    [
      answers.auth === 'none',
      'Without a password, anyone who can reach the pods can read and write all keys.',
    ],
    [answers.replicasPerMaster === 0, 'Without replicas, the keys of a master that fails are lost.'],
    [
      overlays.includes('dev'),
      'Without volumes (overlay dev), a shard’s keys are lost if all of its pods stop at the same time.',
    ],
    [
      !overlays.includes('dev') && facts.storageClasses === undefined,
      'Whether a StorageClass for the volumes exists could not be checked.',
    ],
    [
      overlays.some((one) => one === 'production' || one === 'spread') && facts.workers === undefined,
      'It could not be checked whether there are enough Kubernetes nodes for the pods.',
    ],
    [
      beginning === 'goesOn',
      'An unfinished deployment with the same answers was found; this one resumes it.',
    ],
    [
      beginning === 'adopts',
      `The ${quantity(facts.claims.length, 'volume')} of the earlier cluster are reused, with its keys, roles and slots.`,
    ],
    [
      beginning === 'adopts' && gone.length > 0,
      `The volumes of pods ${gone.join(', ')} are missing: these pods start empty and copy the data of their shard, if a copy exists.`,
    ],
  ];
  return warnings.filter(([applies]) => applies).map(([, text]) => text);
}

/**
 * Applies the objects and waits until the cluster is whole. On failure or cancellation everything that was made is
 * left, and the error says so.
 */
export async function runDeploy(plan: DeployPlan, ports: DeployPorts): Promise<Deployed> {
  const started = ports.now();
  let isBegun = false;
  try {
    await ensurePassword(plan, ports);
    isBegun = true;
    const statefulSet = await applyAll(plan, ports);
    const { uid } = statefulSet.metadata as { readonly uid?: string };
    const { namespace, name } = plan.answers;
    const awaited = { namespace, statefulSet: name, uid, pods: plan.pods };
    const nodes = askNodes(ports.readNode, ports.now);
    await waitForPods(ports, awaited, (pods, wake) => lookAtCluster(plan, pods, nodes.views(pods, wake)));
    const seconds = (ports.now() - started) / 1000;
    await applyState(plan, ports, 'deployed');
    return { seconds };
  } catch (error) {
    throw leftBehind(plan, error, isBegun);
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
    if (!(error instanceof UserError && error.reason === 'conflict')) throw error;
  }
}

async function applyAll(plan: DeployPlan, ports: DeployPorts): Promise<KubernetesObject> {
  const { access, report, signal } = ports;
  const others = plan.objects.filter((object) => object.kind !== 'StatefulSet');
  report({ text: `applying ${quantity(plan.objects.length, 'object')}` });
  await Promise.all(others.map((object) => access.apply(object, signal)));
  await applyState(plan, ports, 'deploying');
  const { namespace, name } = plan.answers;
  const made = await access.get('apps/v1', 'StatefulSet', namespace, name);
  if (made === undefined)
    throw new UserError('not-found', `StatefulSet ${name} was deleted by someone else.`);
  return made;
}

async function applyState(
  { objects }: DeployPlan,
  { access, signal }: DeployPorts,
  state: 'deploying' | 'deployed',
): Promise<void> {
  for (const object of objects)
    if (object.kind === 'StatefulSet') await access.apply(withState(object, state), signal);
}

function lookAtCluster(plan: DeployPlan, pods: readonly PodFacts[], views: readonly NodeView[]): Look {
  const total = plan.pods;
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
  return { done: ready === total && isWhole(plan, views), progress };
}

/**
 * Every node says that all slots are covered, knows all others and where they are (clients are sent nowhere otherwise),
 * and as many are replicas as were requested. An earlier cluster has the roles that it had.
 */
function isWhole({ answers, beginning, pods }: DeployPlan, views: readonly NodeView[]): boolean {
  const replicas = views.filter((view) => view.replication.role === 'replica');
  return (
    views.length === pods &&
    views.every(
      (view) =>
        view.clusterState === 'ok' &&
        view.slotsAssigned === slotCount &&
        view.others.length === pods - 1 &&
        view.others.every(({ host }) => host !== ''),
    ) &&
    (beginning === 'adopts' || replicas.length === pods - answers.masters) &&
    replicas.every((view) => view.replication.linkUp === true)
  );
}

function leftBehind({ ref }: DeployPlan, error: unknown, isBegun: boolean): Error {
  const left = `What was created so far remains in context ${ref.context}, namespace ${ref.namespace}; Delete Cluster… removes it.`;
  if (isAbort(error)) {
    return Object.assign(new Error(`The deployment of ${ref.name} was cancelled. ${left}`), {
      name: 'AbortError',
    });
  }
  if (!(error instanceof UserError)) return error instanceof Error ? error : new Error(messageOf(error));
  const message = `${ref.name} was not deployed. ${error.message} ${left}`;
  if (!isBegun) return new UserError(error.reason, message, { cause: error });
  return new StoppedError(error.reason, message, { changed: true, cause: error });
}
