import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubernetesAccess, KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { tokenWithRole } from '../accessWithRole.ts';
import type { Kubectl } from '../scenarios/kubectl.ts';

/** The Roles of manifests/rbac by the context that signs in with each. */
export const roles = { viewer: 'view', operator: 'operate' } as const;

export type Person = keyof typeof roles;

/** Applies both Roles as their files say, and writes a kubeconfig with a context for each. */
export async function grantRoles(
  place: { readonly access: KubernetesAccess; readonly namespace: string; readonly kubectl: Kubectl },
  server: string,
  file: string,
): Promise<Readonly<Record<Person, string>>> {
  const tokens = { viewer: '', operator: '' };
  for (const person of Object.keys(roles) as Person[]) {
    const manifest = join(import.meta.dirname, '../../../manifests/rbac', `${roles[person]}.yaml`);
    await place.kubectl(['apply', '-f', '-'], await readFile(manifest, 'utf8'));
    tokens[person] = await tokenWithRole(place, `redis-cluster-${person}`);
  }
  const config = {
    clusters: [{ name: 'c', cluster: { server } }],
    users: Object.entries(tokens).map(([name, token]) => ({ name, user: { token } })),
    contexts: Object.keys(tokens).map((name) => ({
      ...{ name, context: { cluster: 'c', user: name, namespace: place.namespace } },
    })),
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return tokens;
}

/** A pod that does its work and ends, of an owner that does not replace it. */
export async function endedPod(access: KubernetesAccess, namespace: string, name: string): Promise<void> {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } };
  await access.create(owner);
  const made = await access.get('v1', 'ConfigMap', namespace, owner.metadata.name);
  const { uid } = (made?.metadata ?? {}) as { readonly uid?: string };
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid, controller: true },
  ];
  const container = { name: 'redis', image: 'redis:7.0.15', ports: [{ containerPort: 6379 }] };
  await access.create({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: `${name}-0`, namespace, ownerReferences } as KubernetesObject['metadata'],
    spec: {
      restartPolicy: 'Never',
      containers: [{ ...container, command: ['sh', '-c', 'redis-server --version # --cluster-enabled yes'] }],
    },
  });
}
