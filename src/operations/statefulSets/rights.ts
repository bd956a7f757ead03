import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { refusal } from '../servers/nodes.ts';

/** What the user has to be allowed to do: a verb on a resource of an API group, `''` being the core one. */
export type Right = readonly [verb: string, resource: string, group: string];

/** What changing the number of a StatefulSet's pods takes. */
export const scaleRights: readonly Right[] = [
  ['get', 'statefulsets/scale', 'apps'],
  ['patch', 'statefulsets/scale', 'apps'],
];

/**
 * Whether connections to pods may be opened this way. Each is a WebSocket, which takes `get`, and from Kubernetes 1.35
 * `create` as well.
 */
export async function mayConnect(
  access: KubernetesAccess,
  resource: 'pods/portforward' | 'pods/exec',
  namespace: string,
): Promise<boolean> {
  const rights = await Promise.all(
    ['get', 'create'].map((verb) => access.may(verb, resource, '', namespace)),
  );
  return rights.every(Boolean);
}

/** Asks beforehand, so that a change does not stop half-way. Throws a UserError that names every right that is missing. */
export async function requireRights(
  access: KubernetesAccess,
  namespace: string,
  rights: readonly Right[],
): Promise<void> {
  const allowed = await Promise.all(
    rights.map(([verb, resource, group]) => access.may(verb, resource, group, namespace)),
  );
  const missing = rights
    .filter((_, index) => allowed[index] !== true)
    .map(([verb, resource]) => `${verb} ${resource}`);
  if (missing.length === 0) return;
  throw refusal(
    'forbidden',
    `You are not allowed to ${missing.join(', ')} in namespace ${namespace} (context ${access.context}).`,
  );
}
