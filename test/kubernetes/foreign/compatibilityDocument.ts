import { columns, shapes, unrecordedShapes, type Column, type ShapeRow } from './compatibility.ts';

/** docs/compatibility.md of a run's rows: nothing in it was found by anybody else. */
export function compatibilityDocument(rows: readonly ShapeRow[]): string {
  const kubernetes = [...new Set(rows.map((row) => row.kubernetes))].join(', ');
  const days = [...new Set(rows.map(({ at }) => at.slice(0, 10)))].sort().join(' and ');
  const missing = unrecordedShapes(rows).map((id) => shapes[id].join(', '));
  const shown = Object.keys(columns) as Column[];
  return `# Compatibility

Clusters as other projects deploy them, and what this extension does with each, found on ${days} by \`npm run test:kubernetes -- --all foreign\`, which writes this file: real servers in real pods of Kubernetes ${kubernetes}, three masters with a replica each.

The shapes have the names, labels, owners, containers, ports, variables, mounts, certificates and users that these projects give their objects. The projects' own controllers and scripts do not run: where a pod loses its place in the cluster, a real operator often restores it by itself.

| Project | Variant | Servers | ${shown.map((column) => columns[column]).join(' | ')} |
|---|---|---|${shown.map(() => '---').join('|')}|
${rows.map((row) => lineOf(row, shown)).join('\n')}

${missing.length === 0 ? '' : `Not run this time: ${missing.join('; ')}.\n\n`}What the columns mean:

- **Found as**: the name in the tree: what an operator's label, custom resource or release calls the cluster. Names of its StatefulSets and Deployments lead to it too.
- **Signed in**: by itself where the pods' spec says where the password, the user and the certificates are; otherwise by **Sign In…**.
- **Check**: agrees with \`redis-cli --cluster check\`, both on a healthy cluster and with an open slot. **Heal** then closes it.
- **Terminal**: redis-cli in a pod's container, on a master and on a replica, as the right user and over TLS; no password is shown.
- **Logs**: every container of a pod can be selected.
- **Reshard**: while a client in a process of its own writes to all shards and reads everything back at the end.
- **Scale, delete** and **Upgrade**: done, or refused with the name of whoever looks after the cluster.
- **One pod deleted**, **All pods deleted**: while pods are gone, the cluster stays one row under its name and is never called healthy without having been read. Pods with volumes come back as the same nodes, where all were deleted with new addresses, which **Heal** tells them. Pods without volumes come back empty, and the check says so.
`;
}

function lineOf({ id, versions, cells }: ShapeRow, shown: readonly Column[]): string {
  const texts = [...shapes[id], versions, ...shown.map((column) => cells[column] ?? 'not run')];
  return `| ${texts.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
