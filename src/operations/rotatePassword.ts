import { quantity } from '../model/quantity.ts';
import type { KubernetesAccess, SecretKey } from '../kubernetes/kubernetesAccess.ts';
import { describeRef, isKubernetesRef, type KubernetesClusterRef } from '../model/clusterRef.ts';
import { StoppedError, UserError } from '../model/errors.ts';
import type { Report } from '../model/progress.ts';
import type { ShownPlan } from './plan.ts';
import type { ClusterSnapshot, PodFacts } from '../model/snapshot.ts';
import { previousPassword } from './deploy/render.ts';
import { refuseIncomplete } from './refuseIncomplete.ts';

/** A member by its pod and its node id. */
export interface PodServer {
  readonly pod: PodFacts;
  readonly id: string;
}

export interface RotatePlan extends ShownPlan {
  readonly ref: KubernetesClusterRef;
  readonly secret: SecretKey;
  /** The Secret's version that the plan was made from, and what tells it from another one of its name. */
  readonly resourceVersion: string;
  readonly uid: string;
  /** The Secret holds both passwords already: an earlier rotation is gone on with. */
  readonly goesOn: boolean;
  /** Whether the pods may be touched, so that their mounts are refreshed at once instead of within 90 seconds. */
  readonly mayPoke: boolean;
  readonly servers: readonly PodServer[];
}

/** What a server says to a password. */
export type Answer = 'accepted' | 'refused' | 'silent';

export interface RotatePorts {
  readonly access: KubernetesAccess;
  readonly signal: AbortSignal;
  readonly report: Report;
  readonly now: () => number;
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly randomPassword: () => string;
  /** Signs in to a member again; `silent` also where another server has taken its pod's place and takes the password. */
  readonly tryPassword: (server: PodServer, password: string) => Promise<Answer>;
}

export interface Rotated {
  readonly outcome: 'done' | 'cancelled';
  readonly message: string;
  readonly seconds: number;
}

const between = 1_000;
/** Kubelets refresh mounts within some 90 seconds; agents need a few seconds more. */
const patience = 300_000;

interface SecretObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
  readonly metadata: { readonly resourceVersion?: string; readonly uid?: string };
}

/** Reads what there is and plans. Throws a UserError where the password cannot be replaced; nothing was changed then. */
export async function prepareRotation(
  access: KubernetesAccess,
  snapshot: ClusterSnapshot,
): Promise<RotatePlan> {
  const { ref } = snapshot;
  if (!isKubernetesRef(ref)) throw refusal('invalid-input', `${describeRef(ref)} is not in Kubernetes.`);
  refuseIncomplete(snapshot);
  const servers = answeringServers(snapshot);
  const secret = await secretOf(access, snapshot, ref);
  await checkRights(access, ref.namespace);
  const object = (await access.get('v1', 'Secret', ref.namespace, secret.secret)) as SecretObject | undefined;
  if (object?.data?.[secret.key] === undefined)
    throw refusal('not-found', `Secret ${secret.secret} has no key ${secret.key}.`);
  if (object.immutable === true) throw refusal('unsafe', `Secret ${secret.secret} is immutable.`);
  const goesOn = object.data[previousPassword] !== undefined;
  return {
    title: `Rotate the password of ${describeRef(ref)}`,
    operation: 'rotatePassword',
    request: {},
    ref,
    secret,
    goesOn,
    servers,
    resourceVersion: object.metadata.resourceVersion ?? '',
    uid: object.metadata.uid ?? '',
    mayPoke: await access.may('patch', 'pods', '', ref.namespace),
    steps: [
      {
        destroys: false,
        text: goesOn
          ? `Resume with the passwords that Secret ${secret.secret} holds`
          : `Write a new password to Secret ${secret.secret}, and keep the current one as ${previousPassword}`,
      },
      {
        destroys: false,
        text: `Wait until all ${quantity(servers.length, 'server')} accept the new password`,
      },
      { destroys: false, text: `Remove ${previousPassword} from Secret ${secret.secret}` },
      {
        destroys: false,
        text: `Check that all ${quantity(servers.length, 'server')} refuse the old password`,
      },
    ],
    warnings: [
      'Clients that connect after the last step need the new password. To update clients while both passwords are valid, do the steps by hand as docs/guides/manifests.md describes.',
    ],
    losses: [],
  };
}

function refusal(reason: UserError['reason'], message: string): UserError {
  return new UserError(reason, `${message} Nothing was changed.`);
}

function answeringServers({ name, nodes, loosePods, workloads }: ClusterSnapshot): readonly PodServer[] {
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
  return nodes.flatMap(({ id, pod }) => (pod === undefined ? [] : [{ pod, id }]));
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

/** Safe to run again after it was stopped at any point: what the Secret holds says where it stands. */
export async function runRotation(plan: RotatePlan, ports: RotatePorts): Promise<Rotated> {
  const { access, now } = ports;
  const begun = now();
  const stopped = (message: string): Rotated => ({
    outcome: 'cancelled',
    message,
    seconds: (now() - begun) / 1000,
  });
  const { fresh, old } = await bothPasswords(plan, ports);
  await poke(plan, ports, 'both');
  const accepted = await untilAll(plan, ports, 'accept the new password', fresh, 'accepted');
  if (!accepted)
    return stopped('Stopped: both passwords are in the Secret and remain valid. Run it again to resume.');
  const data = { [previousPassword]: null };
  const metadata = { uid: plan.uid };
  await access.patch('v1', 'Secret', plan.ref.namespace, plan.secret.secret, { metadata, data });
  await poke(plan, ports, 'new');
  const refused = await untilAll(plan, ports, 'refuse the old password', old, 'refused');
  if (!refused) return stopped('Stopped: the new password is in use, and the agents remove the old one.');
  const seconds = (now() - begun) / 1000;
  const message = `${plan.ref.name}: all ${quantity(plan.servers.length, 'server')} have the new password of Secret ${plan.secret.secret} and no other, after ${seconds.toFixed(0)} s.`;
  return { outcome: 'done', message, seconds };
}

async function bothPasswords(
  { ref, secret, goesOn, resourceVersion, uid }: RotatePlan,
  { access, randomPassword }: RotatePorts,
): Promise<{ readonly fresh: string; readonly old: string }> {
  const read = async (key: string): Promise<string> =>
    (await access.readSecret(ref.namespace, { secret: secret.secret, key })) ?? '';
  if (goesOn) return { fresh: await read(secret.key), old: await read(previousPassword) };
  const [fresh, old] = [randomPassword(), await read(secret.key)];
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  await access.patch('v1', 'Secret', ref.namespace, secret.secret, {
    metadata: { resourceVersion, uid },
    data: { [secret.key]: encoded(fresh), [previousPassword]: encoded(old) },
  });
  return { fresh, old };
}

/** A changed annotation makes a kubelet look at its pod at once, mounted Secrets included. */
async function poke(
  { ref, servers, mayPoke }: RotatePlan,
  { access }: RotatePorts,
  what: string,
): Promise<void> {
  if (!mayPoke) return;
  const annotations = { 'kubernetes-redis-cluster/password': `${what} ${new Date().toISOString()}` };
  await Promise.allSettled(
    servers.map(({ pod: { name, uid } }) =>
      access.patch('v1', 'Pod', ref.namespace, name, { metadata: { uid, annotations } }),
    ),
  );
}

/** False where it was stopped. A server that restarts meanwhile is asked again. */
async function untilAll(
  { servers }: RotatePlan,
  { now, delay, signal, report, tryPassword }: RotatePorts,
  what: string,
  password: string,
  wanted: Answer,
): Promise<boolean> {
  const begun = now();
  for (;;) {
    const answers = await Promise.all(servers.map((server) => tryPassword(server, password)));
    const done = answers.filter((answer) => answer === wanted).length;
    report({ text: what, done, total: servers.length, unit: 'servers' });
    if (done === servers.length) return true;
    if (signal.aborted) return false;
    if (now() - begun > patience) {
      const late = servers.filter((_, index) => answers[index] !== wanted).map(({ pod }) => pod.name);
      throw new StoppedError(
        'failed',
        `After ${patience / 1000} s not all servers ${what}: ${late.join(', ')}. Look at the logs of their agents, then run it again; it resumes where it stopped.`,
        { changed: true, cause: undefined },
      );
    }
    await delay(between, signal);
  }
}
