import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { describeRef, type KubernetesClusterRef } from '../../model/clusterRef.ts';
import { isAbort, UserError } from '../../model/errors.ts';
import {
  commandAnnotation,
  leaseGroup as group,
  leaseLabel,
  leaseLabelValue,
  leaseName as nameOf,
  leaseSeconds as durationSeconds,
  leaseVersion as apiVersion,
  titleAnnotation,
  type OperationLease,
} from '../../model/operationLease.ts';

/** A claim on a cluster that everybody with access to its namespace sees: one operation at a time, whoever runs it. */
export interface Claim {
  readonly ref: KubernetesClusterRef;
  /** Who runs the operation, as a colleague would recognise it. */
  readonly holder: string;
  /** The plan's title. */
  readonly title: string;
  /** The command that planned it: by it others know which findings are its doing. */
  readonly operation: string;
}

export interface LeasePorts {
  readonly access: KubernetesAccess;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch: what the Lease says is read on other machines. */
  readonly clock: () => number;
  /** Ends early, without throwing, when the signal is aborted. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** How often a claim is renewed; seconds. */
const renewSeconds = 10;

type LeaseObject = KubernetesObject & OperationLease;

/** A warning for the plan where claims cannot be made; colleagues are not kept out then. */
export async function leaseWarning(access: KubernetesAccess, namespace: string): Promise<readonly string[]> {
  const verbs = ['get', 'create', 'patch'];
  const rights = await Promise.all(verbs.map((verb) => access.may(verb, 'leases', group, namespace)));
  const missing = verbs.filter((_, index) => rights[index] !== true);
  if (missing.length === 0) return [];
  return [
    `You are not allowed to ${missing.join(', ')} leases in namespace ${namespace}, so a colleague could change this cluster at the same time.`,
  ];
}

/**
 * Does the work as the cluster's one operation on any machine, by a Lease `redis-cluster-<name>-operation`
 * (https://kubernetes.io/docs/concepts/architecture/leases/) that is renewed meanwhile and deleted at the end. Throws a
 * UserError `busy` that names the holder where another operation runs. Without the rights it works without a claim.
 */
export async function withLease<T>(
  ports: LeasePorts,
  claim: Claim,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const held = await take(ports, claim);
  if (held === undefined) return await work(ports.signal);
  const over = new AbortController();
  const lost = new AbortController();
  const renewing = renew(ports, claim, held, over.signal, lost);
  try {
    const result = await work(AbortSignal.any([ports.signal, lost.signal]));
    if (lost.signal.aborted) throw takenAway(claim);
    return result;
  } catch (error) {
    throw isAbort(error) && lost.signal.aborted ? takenAway(claim) : error;
  } finally {
    over.abort();
    await renewing;
    if (!lost.signal.aborted) await release(ports, claim);
  }
}

/** The Lease as it is now ours; undefined where claims cannot be made. */
async function take(ports: LeasePorts, claim: Claim): Promise<LeaseObject | undefined> {
  try {
    const found = await read(ports, claim);
    if (found === undefined) {
      await ports.access.create(leaseOf(ports, claim), ports.signal);
      return await read(ports, claim);
    }
    if (holderOf(found) !== '' && !(await isDead(ports, claim, found))) throw busy(ports, claim, found);
    return await write(ports, claim, found);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // A namespace that is not there has no cluster that a colleague could change.
    if (error.reason === 'forbidden' || error.reason === 'not-found') return undefined;
    if (error.reason !== 'conflict') throw error;
    throw busy(ports, claim, await read(ports, claim));
  }
}

/** By this machine's clock first; as clocks differ, a claim that looks dead is watched for longer than its renewal takes. */
async function isDead(ports: LeasePorts, claim: Claim, found: LeaseObject): Promise<boolean> {
  const duration = (found.spec?.leaseDurationSeconds ?? durationSeconds) * 1000;
  if (ageOf(ports, found) <= duration) return false;
  await ports.delay(renewSeconds * 1500, ports.signal);
  ports.signal.throwIfAborted();
  const later = await read(ports, claim);
  return later?.metadata.resourceVersion === found.metadata.resourceVersion;
}

function ageOf({ clock }: LeasePorts, { spec }: LeaseObject): number {
  const renewed = Date.parse(spec?.renewTime ?? '');
  return Number.isNaN(renewed) ? Number.MAX_SAFE_INTEGER : clock() - renewed;
}

async function renew(
  ports: LeasePorts,
  claim: Claim,
  first: LeaseObject,
  over: AbortSignal,
  lost: AbortController,
): Promise<void> {
  let held = first;
  for (;;) {
    await ports.delay(renewSeconds * 1000, over);
    if (over.aborted) return;
    try {
      held = await write(ports, claim, held);
    } catch {
      // The API may be out of reach for a while; only a claim of somebody else ends ours.
      const now = await read(ports, claim).catch(() => undefined);
      if (now === undefined) continue;
      if (holderOf(now) !== claim.holder) {
        lost.abort();
        return;
      }
      held = now;
    }
  }
}

async function release(ports: LeasePorts, claim: Claim): Promise<void> {
  const { ref } = claim;
  try {
    const found = await read(ports, claim);
    if (found === undefined || holderOf(found) !== claim.holder) return;
    if (await ports.access.may('delete', 'leases', group, ref.namespace)) {
      await ports.access.delete(apiVersion, 'Lease', ref.namespace, nameOf(ref));
      return;
    }
    const change = { spec: { holderIdentity: '' } };
    await ports.access.patch(apiVersion, 'Lease', ref.namespace, nameOf(ref), change);
  } catch {
    // It runs out by itself, and the operation's own outcome is what counts now.
  }
}

async function read({ access }: LeasePorts, { ref }: Claim): Promise<LeaseObject | undefined> {
  return await access.get(apiVersion, 'Lease', ref.namespace, nameOf(ref));
}

/** Writes ourselves in; refused with `conflict` where somebody else has written since `found` was read. */
async function write(ports: LeasePorts, claim: Claim, found: LeaseObject): Promise<LeaseObject> {
  const { metadata, spec } = leaseOf(ports, claim);
  const { resourceVersion } = found.metadata;
  const { annotations, labels } = metadata;
  const change = { metadata: { annotations, labels, resourceVersion }, spec };
  const { namespace } = claim.ref;
  return await ports.access.patch(apiVersion, 'Lease', namespace, nameOf(claim.ref), change);
}

function leaseOf({ clock }: LeasePorts, { ref, holder, title, operation }: Claim): LeaseObject {
  return {
    apiVersion,
    kind: 'Lease',
    metadata: {
      name: nameOf(ref),
      namespace: ref.namespace,
      labels: { [leaseLabel]: leaseLabelValue },
      annotations: { [titleAnnotation]: title, [commandAnnotation]: operation },
    },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: durationSeconds,
      // A MicroTime has exactly six digits behind the point.
      renewTime: new Date(clock()).toISOString().replace('Z', '000Z'),
    },
  };
}

function holderOf({ spec }: LeaseObject): string {
  return spec?.holderIdentity ?? '';
}

function busy(ports: LeasePorts, { ref }: Claim, found: LeaseObject | undefined): UserError {
  const what = found?.metadata.annotations?.[titleAnnotation] ?? 'Another operation';
  const holder = found === undefined || holderOf(found) === '' ? 'someone else' : holderOf(found);
  const seconds = found === undefined ? 0 : Math.max(0, Math.round(ageOf(ports, found) / 1000));
  return new UserError(
    'busy',
    `"${what}" is being run on ${describeRef(ref)} by ${holder}, renewed ${seconds} s ago. Nothing was changed. Wait for it; if it crashed, its Lease expires after ${durationSeconds} s.`,
  );
}

function takenAway({ ref, title }: Claim): UserError {
  return new UserError(
    'busy',
    `"${title}" was stopped at a safe point: someone else claimed ${describeRef(ref)} while the Lease could not be renewed. What was done until then remains. Check the cluster before you resume.`,
  );
}
