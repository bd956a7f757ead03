import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { UserError } from '../../model/errors.ts';
import { managedBy, managedByLabel } from '../manifests/render.ts';

const componentLabel = 'app.kubernetes.io/component';
const component = 'rehearsal';
const longestName = 63;
const ending = '-rehearsal';
/** Milliseconds in which a namespace with all in it must go. */
const limitMs = 300_000;
const pollEveryMs = 500;

/** A namespace as it was found; with its uid another one that has its name by then is left. */
export interface RehearsalNamespace {
  readonly name: string;
  readonly uid: string;
}

/** The namespace in which the backups of a cluster are rehearsed, and nothing else is. */
export function rehearsalName(cluster: string): string {
  const name = cluster
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, longestName - ending.length)
    .replaceAll(/^-+|-+$/g, '');
  return `${name === '' ? 'redis' : name}${ending}`;
}

/**
 * What an earlier rehearsal left that was interrupted; undefined where the name is free. Throws a UserError where there is
 * a namespace of that name that this product did not make, or where the rights are missing.
 */
export async function findRehearsal(
  access: KubernetesAccess,
  name: string,
): Promise<RehearsalNamespace | undefined> {
  const verbs = ['get', 'create', 'delete'];
  const rights = await Promise.all(verbs.map((verb) => access.may(verb, 'namespaces', '', '')));
  const missing = verbs.filter((_, index) => rights[index] !== true);
  if (missing.length > 0)
    throw new UserError(
      'forbidden',
      `A rehearsal takes place in a namespace of its own, and your account in context ${access.context} is not allowed to ${missing.join(', ')} namespaces. Request these permissions, or deploy a cluster and restore the backup into it. Nothing was changed.`,
    );
  const found = await access.get('v1', 'Namespace', undefined, name);
  if (found === undefined) return undefined;
  const { labels = {}, uid = '' } = found.metadata;
  if (labels[managedByLabel] === managedBy && labels[componentLabel] === component) return { name, uid };
  throw new UserError(
    'conflict',
    `Namespace "${name}" exists in context ${access.context} and is not of a rehearsal, so it is left alone. Nothing was changed.`,
  );
}

/** Makes the namespace. Throws a UserError `conflict` where it is there. */
export async function makeRehearsal(
  access: KubernetesAccess,
  name: string,
  signal?: AbortSignal,
): Promise<RehearsalNamespace> {
  const labels = { [managedByLabel]: managedBy, [componentLabel]: component };
  await access.create(namespaceObject(name, labels), signal);
  const made = await access.get('v1', 'Namespace', undefined, name);
  if (made === undefined) throw new UserError('failed', `Namespace "${name}" was removed by something else.`);
  return { name, uid: made.metadata.uid ?? '' };
}

function namespaceObject(name: string, labels: Readonly<Record<string, string>>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/**
 * Deletes the namespace with all in it, its volumes too, and waits until it is gone. Throws a UserError where it stays.
 * @param ports `delay` ends early, without throwing, when its signal is aborted
 */
export async function removeRehearsal(
  access: KubernetesAccess,
  { name, uid }: RehearsalNamespace,
  {
    now,
    delay,
    signal,
  }: {
    readonly now: () => number;
    readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const until = now() + limitMs;
  const isThere = async (): Promise<KubernetesObject | undefined> => {
    const found = await access.get('v1', 'Namespace', undefined, name);
    return found?.metadata.uid === uid ? found : undefined;
  };
  const found = await isThere();
  if (found === undefined) return;
  if (found.metadata.deletionTimestamp === undefined)
    await access.delete('v1', 'Namespace', '', name, signal, { uid });
  while ((await isThere()) !== undefined) {
    if (now() > until || signal.aborted)
      throw new UserError(
        'failed',
        `Namespace ${name} of context ${access.context} is being deleted and is still there. Inspect it with kubectl describe namespace ${name}.`,
      );
    await delay(pollEveryMs, signal);
  }
}
