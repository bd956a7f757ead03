import { readdirSync } from 'node:fs';
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

/** Two pods that do their work and end, of an owner that does not replace them. */
export async function endedPods(access: KubernetesAccess, namespace: string, name: string): Promise<void> {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } };
  await access.create(owner);
  const made = await access.get('v1', 'ConfigMap', namespace, owner.metadata.name);
  const { uid } = (made?.metadata ?? {}) as { readonly uid?: string };
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid, controller: true },
  ];
  const container = { name: 'redis', image: 'redis:7.0.15', ports: [{ containerPort: 6379 }] };
  const command = ['sh', '-c', 'redis-server --version # --cluster-enabled yes'];
  for (const pod of [`${name}-0`, `${name}-1`]) {
    const metadata = { name: pod, namespace, ownerReferences } as KubernetesObject['metadata'];
    const spec = { restartPolicy: 'Never', containers: [{ ...container, command }] };
    await access.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
  }
}

/** The newest backup in a folder. */
export function backupIn(folder: string): string {
  const names = readdirSync(folder).filter((name) => /-\d{8}-\d{6}$/.test(name));
  return join(folder, names.sort().at(-1) ?? 'none');
}
