import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { openContext } from '../../src/kubernetes/access.ts';
import { loadKubeconfigs } from '../../src/kubernetes/kubeconfigs.ts';
import type { KubernetesAccess, KubernetesObject } from '../../src/kubernetes/kubernetesAccess.ts';
import { kubeconfigAs, until } from './adapterFixture.ts';
import type { OperationsFixture } from './operationsFixture.ts';

/** What a user can do who has just the rights of a file in manifests/rbac, in the fixture's namespace. */
export async function accessWithRole(
  { access, namespace, kubernetes: { kubeconfig, context } }: OperationsFixture,
  file: 'view' | 'operate',
): Promise<KubernetesAccess> {
  return accessWithRules({ access, namespace, kubeconfig, context }, roleIn(file));
}

/** A Role of manifests/rbac. */
export function roleIn(file: 'view' | 'operate'): KubernetesObject {
  const path = join(import.meta.dirname, '..', '..', 'manifests', 'rbac', `${file}.yaml`);
  return parse(readFileSync(path, 'utf8')) as KubernetesObject;
}

/** Where a Role is granted. */
interface RolePlace {
  readonly access: KubernetesAccess;
  readonly namespace: string;
}

/** What a user can do who has just the rights of this Role. */
export async function accessWithRules(
  place: RolePlace & { readonly kubeconfig: string; readonly context: string },
  role: KubernetesObject,
): Promise<KubernetesAccess> {
  await place.access.create({ ...role, metadata: { name: role.metadata.name, namespace: place.namespace } });
  const token = await tokenWithRole(place, role.metadata.name);
  const kubeconfig = join(await mkdtemp(join(tmpdir(), 'role-')), 'config');
  await writeFile(kubeconfig, kubeconfigAs(place.kubeconfig, place.context, { token }));
  const [context] = loadKubeconfigs([kubeconfig]).contexts;
  if (context === undefined) throw new Error(`${kubeconfig} has no context.`);
  return openContext(context);
}

/** The token of a new user who has just the rights of a Role that is there. */
export async function tokenWithRole({ access, namespace }: RolePlace, name: string): Promise<string> {
  const metadata = { name, namespace };
  await access.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await access.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
  });
  const annotations = { 'kubernetes.io/service-account.name': name };
  await access.create({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/service-account-token',
    metadata: { name: `${name}-token`, namespace, annotations },
  });
  return until(() => access.readSecret(namespace, { secret: `${name}-token`, key: 'token' }));
}
