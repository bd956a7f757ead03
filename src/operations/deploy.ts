import { quantity } from '../model/quantity.ts';
import type { KubernetesAccess, KubernetesObject } from '../kubernetes/kubernetesAccess.ts';
import { describeRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import type { Plan } from './plans/plan.ts';
import { makeStep } from './steps/index.ts';
import { shapeText, type DeployAnswers } from './manifests/answers.ts';
import { adoptedPods, adoptionProblem, missingOrdinals } from './manifests/adoption.ts';
import { readDeployFacts, type DeployFacts } from './manifests/facts.ts';
import { checkFacts, type Beginning } from './manifests/preflight.ts';
import { generatedSecret, renderManifests } from './manifests/render.ts';

export interface DeployPlan extends Plan {
  readonly ref: KubernetesClusterRef;
  readonly objects: readonly KubernetesObject[];
  readonly beginning: Beginning;
  readonly pods: number;
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
  // Volumes are taken over with their password.
  const makesSecret = answers.auth === 'generate' && beginning !== 'adopts';
  const secret = { cluster: answers.name, ...generatedSecret(answers.name) };
  const created = objects.map(({ kind, metadata: { name } }) => ({ kind, name }));
  return {
    title: `Deploy ${describeRef(ref)}: ${shapeText(answers)}`,
    ref,
    operation: 'deploy',
    request: answers,
    objects,
    beginning,
    pods,
    steps: [
      ...(makesSecret ? [makeStep('createPassword', secret, String)] : []),
      makeStep('applyManifests', { objects: created }, String),
      makeStep(
        'awaitCluster',
        {
          ...{ workload: answers.name, pods, masters: answers.masters, adopts: beginning === 'adopts' },
          ...podsOf(objects),
        },
        String,
      ),
    ],
    warnings: warningsFor(answers, facts, beginning),
    losses: [],
  };
}

/** Of which image the pods are, on volumes of which size. */
function podsOf(objects: readonly KubernetesObject[]): { readonly image: string; readonly storage?: string } {
  const set = objects.find(({ kind }) => kind === 'StatefulSet') as SetObject | undefined;
  const image = set?.spec.template.spec.containers[0]?.image ?? '';
  const storage = set?.spec.volumeClaimTemplates?.[0]?.spec.resources.requests.storage;
  return storage === undefined ? { image } : { image, storage };
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
