import { columns, shapes, unrecordedShapes, type Column, type ShapeRow } from './compatibility.ts';

const reading: readonly Column[] = ['found', 'signIn', 'check', 'terminal', 'logs', 'slotMap'];
const changing: readonly Column[] = ['reshard', 'heal', 'scale', 'upgrade', 'onePod', 'allPods'];

/** docs/compatibility.md of a run's rows: nothing in it was found by anybody else. */
export function compatibilityDocument(rows: readonly ShapeRow[]): string {
  const kubernetes = [...new Set(rows.map((row) => row.kubernetes))].join(', ');
  const days = [...new Set(rows.map(({ at }) => at.slice(0, 10)))].sort().join(' and ');
  const missing = unrecordedShapes(rows).map((id) => shapes[id].join(', '));
  return `# Compatibility

Clusters as other projects deploy them, and what this extension does with each, found on ${days} by \`npm run test:kubernetes -- --all foreign\`, which writes this file: real servers in real pods of Kubernetes ${kubernetes}, three masters with a replica each.

Objects have the names, labels, owners, containers, ports, variables, mounts, certificates and users that these projects give them. The projects’ own controllers and scripts do not run: where a pod loses its place in the cluster, a real operator often restores it.

${missing.length === 0 ? '' : `Not run this time: ${missing.join('; ')}.\n\n`}## Opening and reading

${tableOf(rows, reading)}

- **Found as**: the name in the tree, which is what an operator’s label, the custom resource or the release calls the cluster. The names of its StatefulSets lead to it too.
- **Signed in**: by itself where the pods’ spec says where the password, the user and the certificates are. Where the user found there may not change anything, **Sign In…** takes another one.
- **Check**: agrees with \`redis-cli --cluster check\`, on a healthy cluster and with an open slot.
- **Terminal**: redis-cli in the pods of a master and of a replica, as the right user and over TLS. No password is shown.
- **Logs**: of every container of a pod.

## Changing

${tableOf(rows, changing)}

- **Reshard**: while a client in a process of its own writes to all shards and reads everything back at the end.
- **Heal**: closes an open slot.
- **Scale, delete** and **Upgrade**: done, or refused with the name of whoever looks after the cluster.
- **One pod deleted** and **All pods deleted**: the cluster stays one row under its name, and is never called healthy without having been read. Pods with volumes come back as the same nodes; where all have new addresses, **Heal** tells them. Pods without volumes come back empty, and the check says so; some form a cluster again by themselves.
`;
}

function tableOf(rows: readonly ShapeRow[], shown: readonly Column[]): string {
  const heads = ['Project', 'Variant', 'Servers', ...shown.map((column) => columns[column])];
  const lines = rows.map(({ id, versions, cells }) => {
    return [...shapes[id], versions, ...shown.map((column) => cells[column] ?? 'not run')].map(escaped);
  });
  return [heads, heads.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
