import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Every shape of the matrix by its id: project and variant as the table calls them. */
export const shapes = {
  'bitnami-redis': ['Bitnami chart redis-cluster', 'password file'],
  'bitnami-redis-environment': ['Bitnami chart redis-cluster', 'environment password'],
  'bitnami-redis-tls': ['Bitnami chart redis-cluster', 'TLS, client certificates'],
  'bitnami-valkey': ['Bitnami chart valkey-cluster', 'password file'],
  'bitnami-valkey-tls': ['Bitnami chart valkey-cluster', 'TLS, client certificates'],
  opstree: ['OT redis-operator', 'password'],
  'opstree-node-conf': ['OT redis-operator', 'password, nodeConfVolume'],
  'opstree-acl-tls': ['OT redis-operator', 'ACL, TLS, nodeConfVolume'],
  'opstree-mixed': ['OT redis-operator', 'followers upgraded, leaders not yet'],
  'valkey-operator': ['valkey-operator', 'a Deployment for each node'],
  'valkey-operator-users': ['valkey-operator', 'users, a StatefulSet for each node'],
  'valkey-operator-tls': ['valkey-operator', 'users, TLS'],
  'valkey-operator-mixed': ['valkey-operator', 'replicas upgraded, masters not yet'],
  hyperspike: ['Hyperspike valkey-operator', 'TLS, host names announced'],
  'kubeblocks-node-port': ['KubeBlocks', 'NodePort announced'],
  'kubeblocks-host-network': ['KubeBlocks', 'host network'],
  deployments: ['By hand', 'a Deployment for each node'],
  ancestor: ['Ancestor of the bundled manifests', 'no password, no volumes'],
} as const satisfies Record<string, readonly [project: string, variant: string]>;

export type ShapeId = keyof typeof shapes;

/** What is done on every shape, as the table's columns call it. */
export const columns = {
  found: 'Found as',
  signIn: 'Signed in',
  check: 'Check',
  terminal: 'Terminal',
  logs: 'Logs',
  slotMap: 'Slot map',
  reshard: 'Reshard',
  heal: 'Heal',
  scale: 'Scale, delete',
  upgrade: 'Upgrade',
  onePod: 'One pod deleted',
  allPods: 'All pods deleted',
} as const;

export type Column = keyof typeof columns;

/** What a run found of one shape. */
export interface ShapeRow {
  readonly id: ShapeId;
  /** The versions of its servers. */
  readonly versions: string;
  readonly kubernetes: string;
  readonly cells: Readonly<Partial<Record<Column, string>>>;
  /** ISO 8601. */
  readonly at: string;
}

const file = join(import.meta.dirname, '../../../test-results/compatibility.jsonl');

export function recordShape(row: ShapeRow): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** The last row of each shape, in the order of the table. */
export function recordedShapes(): readonly ShapeRow[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const rows = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ShapeRow);
  const last = new Map(rows.map((row) => [row.id, row]));
  return (Object.keys(shapes) as ShapeId[]).flatMap((id) => last.get(id) ?? []);
}

/** Shapes that no recorded run has shown. */
export function unrecordedShapes(rows: readonly ShapeRow[]): readonly ShapeId[] {
  return (Object.keys(shapes) as ShapeId[]).filter((id) => !rows.some((row) => row.id === id));
}

/** Starts again. */
export function forgetShapes(): void {
  rmSync(file, { force: true });
}
