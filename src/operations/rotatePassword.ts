import { randomUUID } from 'node:crypto';
import type { KubernetesAccess, SecretKey } from '../kubernetes/kubernetesAccess.ts';
import { describeRef, isKubernetesRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { refusal } from './servers/nodes.ts';
import type { Plan } from './plans/plan.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';
import { holdsPrevious, type SecretObject } from './rotation/passwordSecret.ts';
import { makeStep } from './steps/index.ts';

/** Reads what there is and plans. Throws a UserError where the password cannot be replaced; nothing was changed then. */
export async function prepareRotation(access: KubernetesAccess, snapshot: ClusterSnapshot): Promise<Plan> {
  const { ref } = snapshot;
  if (!isKubernetesRef(ref)) throw refusal('invalid-input', `${describeRef(ref)} is not in Kubernetes.`);
  refuseIncomplete(snapshot);
  const servers = answeringServers(snapshot);
  const secret = await secretOf(access, snapshot, ref);
  await checkRights(access, ref.namespace);
  const { secret: name, key } = secret;
  const object = (await access.get('v1', 'Secret', ref.namespace, name)) as SecretObject | undefined;
  if (object?.data?.[key] === undefined) throw refusal('not-found', `Secret ${name} has no key ${key}.`);
  if (object.immutable === true) throw refusal('unsafe', `Secret ${name} is immutable.`);
  const workload = snapshot.workloads[0]?.name ?? '';
  const place = { workload, secret: name, key, uid: object.metadata.uid ?? '' };
  const resumes = holdsPrevious(object);
  const rotation = randomUUID();
  return {
    title: `Rotate the password of ${describeRef(ref)}`,
    operation: 'rotatePassword',
    request: {},
    ref,
    steps: [
      ...(resumes ? [] : [makeStep('replacePassword', { ...place, rotation }, String)]),
      makeStep('awaitPassword', { ...place, servers }, String),
      makeStep('dropOldPassword', { ...place, servers }, String),
    ],
    warnings: [
      ...(resumes
        ? [
            `An unfinished rotation was found: this one resumes it with the passwords that Secret ${name} holds.`,
          ]
        : []),
      'Clients that connect after the last step need the new password. To update clients while both passwords are valid, do the steps by hand as docs/guides/manifests.md describes.',
    ],
    losses: [],
  };
}

function answeringServers({
  name,
  nodes,
  loosePods,
  workloads,
}: ClusterSnapshot): readonly { readonly pod: string; readonly node: string }[] {
  if (workloads.length !== 1 || workloads[0]?.bundled !== true) {
    throw refusal(
      'unsafe',
      `${name} was not deployed from this extension’s manifests, whose agents distribute a new password.`,
    );
  }
  const silent = nodes.filter((node) => node.view === undefined || node.pod === undefined);
  const [first] = [...silent.map((node) => node.pod?.name ?? node.id), ...loosePods.map((pod) => pod.name)];
  if (first !== undefined)
    throw refusal(
      'unreachable',
      `${first} does not answer, and every server has to accept the new password.`,
    );
  return nodes.flatMap(({ id, pod }) => (pod === undefined ? [] : [{ pod: pod.name, node: id }]));
}

async function secretOf(
  access: KubernetesAccess,
  { workloads }: ClusterSnapshot,
  { namespace }: KubernetesClusterRef,
): Promise<SecretKey> {
  const [workload] = workloads;
  const candidates = await access.discover(namespace);
  const found = candidates.find((one) => one.workload.name === workload?.name);
  if (found?.passwordFrom === undefined)
    throw refusal('not-found', 'The servers have no password that comes from a Secret.');
  if (found.passwordIsMounted !== true) {
    throw refusal(
      'unsafe',
      'The pods do not mount the Secret: they run older manifests. Apply the current ones first.',
    );
  }
  return found.passwordFrom;
}

async function checkRights(access: KubernetesAccess, namespace: string): Promise<void> {
  for (const verb of ['get', 'patch']) {
    if (!(await access.may(verb, 'secrets', '', namespace)))
      throw refusal('forbidden', `You are not allowed to ${verb} secrets in namespace ${namespace}.`);
  }
}
