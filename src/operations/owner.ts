import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import { UserError } from '../model/errors.ts';

/** What of an object's metadata tells who made it. */
export interface OwnedMetadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly controller?: boolean;
  }[];
}

/**
 * Names the tool that would change an object back, by the marks it leaves, as the beginning of a sentence whose verb
 * follows: an operator's object, Flux, Argo CD or Helm.
 */
export function ownerOf({
  ownerReferences,
  labels = {},
  annotations = {},
}: OwnedMetadata): string | undefined {
  const owner = ownerReferences?.find((one) => one.controller === true);
  if (owner !== undefined) return `${owner.kind} "${owner.name}", whose operator`;
  const flux = labels['helm.toolkit.fluxcd.io/name'] ?? labels['kustomize.toolkit.fluxcd.io/name'];
  if (flux !== undefined) return `Flux "${flux}", which`;
  const argo = labels['argocd.argoproj.io/instance'] ?? annotations['argocd.argoproj.io/tracking-id'];
  if (argo !== undefined) return `the Argo CD application "${argo.split(':')[0] ?? argo}", which`;
  const release = annotations['meta.helm.sh/release-name'];
  if (release !== undefined) return `the Helm release "${release}", which`;
  if (labels['app.kubernetes.io/managed-by'] === 'Helm') return 'a Helm release, which';
  return undefined;
}

/**
 * What somebody else would undo is not begun. Throws a UserError `unsafe` that names who owns the StatefulSet. Who may
 * scale it and not read it is not kept from that.
 */
export async function refuseOwned(
  access: KubernetesAccess,
  namespace: string,
  statefulSet: string,
): Promise<void> {
  if (!(await access.may('get', 'statefulsets', 'apps', namespace))) return;
  const object = await access.get('apps/v1', 'StatefulSet', namespace, statefulSet);
  const owner = object === undefined ? undefined : ownerOf(object.metadata);
  if (owner === undefined) return;
  throw new UserError(
    'unsafe',
    `StatefulSet ${statefulSet} is made by ${owner} would change its replicas back. Scale it there. Nothing was changed.`,
  );
}
