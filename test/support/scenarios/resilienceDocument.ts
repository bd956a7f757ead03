import { requirements, type Requirement, type ScenarioId } from './requirements.ts';
import { unrecorded, type ScenarioRow } from './record.ts';

const notShown = [
  'Several machines: all workers are processes of one kernel, which share its clock, its two cores or more, and one network bridge.',
  'Real disks, networks and clouds: volumes are folders of one disk, so neither a slow volume, one that is attached to a lost worker, nor a zone that is cut off shows.',
  'Images of registries: the servers are those of Debian packages, in images made for the tests.',
  'NetworkPolicy: the network plugin of the tests does not enforce it.',
  'Load: the client writes small values as fast as a few loops can, which is far from what a server stands.',
  'Long runs: each scenario lasts minutes at most.',
];

/** docs/resilience.md of a run's rows: nothing in it is measured by anybody else. */
export function resilienceDocument(rows: readonly ScenarioRow[]): string {
  const images = [...new Set(rows.map(({ image }) => image.replace(/^docker\.io\/(?:library\/)?/, '')))];
  const kubernetes = [...new Set(rows.map((row) => row.kubernetes))];
  const client = rows.find((row) => row.client !== undefined)?.client ?? {};
  const ids = Object.keys(requirements) as ScenarioId[];
  const missing = unrecorded(rows);
  const starts = rows.map(({ processMs }) => processMs).sort((a, b) => a - b);
  const start = (share: number): string => (starts[Math.floor((starts.length - 1) * share)] ?? 0).toFixed(1);
  const days = [...new Set(rows.map(({ at }) => at.slice(0, 10)))].sort().join(' and ');
  return `# Resilience

What the bundled manifests withstand, measured on ${days} by \`npm run test:kubernetes -- --all scenarios\`, which writes this file: Kubernetes ${kubernetes.join(', ')}, three workers on one machine, images ${images.sort().join(', ')}.

While a scenario runs, a client in a process of its own writes numbers that grow to keys in every shard, and reads each back before it writes it again and once more at the end. _Lost_ are keys that were gone or older than what was acknowledged. _Errors_ are commands the client gave up on; a key whose write it gave up on is not written again, since ioredis may still send that write when newer ones are long acknowledged. The _gap_ is the longest time without an acknowledged write in the shard where it was longest; in parentheses the same in the shard where it was shortest, which shows what the machine itself costs while pods start and stop on it. _Healthy_ is the time until every pod is ready and every node knows exactly the others, sees all slots served, and has its link to its master.

Starting the smallest of processes took this machine ${start(0.5)} ms (${start(0)} to ${start(1)}, measured after each scenario): pods, probes and scripts are made of such starts, so that times grow with it. Where this machine lets it, the client gets a processor before all others, as one with a machine of its own does; and the pods of each worker weigh against the workers' own programs and the control plane what all its cores do, as kubelet sees to at the root of a machine.

The client is ioredis' Cluster with ${settingsText(client)}.

| scenario | must be | met | healthy, s | writes | lost | errors | gap, ms | remarks |
|---|---|---|--:|--:|--:|--:|--:|---|
${ids.flatMap((id) => rows.filter((row) => row.id === id).map(line)).join('\n')}

${missing.length === 0 ? '' : `Not run this time: ${missing.map((id) => requirements[id].scenario).join('; ')}.\n\n`}## Shown with processes

- Pods restarted onto another cluster's old addresses never merge: Kubernetes does not let a test choose addresses, so \`npm run test:redis -- --all manifests/guard\` restarts two clusters, as processes on addresses of their own, on each other's: with no password, with the same and with different ones.

## Not shown by one machine

${notShown.map((text) => `- ${text}`).join('\n')}
`;
}

function line(row: ScenarioRow): string {
  const { scenario, must }: Requirement = requirements[row.id];
  const count = row.errors?.reduce((sum, text) => sum + Number.parseInt(text, 10), 0);
  const remarks = [row.dataset, row.note, ...kinds(row.errors ?? [])];
  const cells = [
    scenario,
    must,
    row.met ? 'yes' : '**no**',
    row.seconds?.toFixed(1) ?? '',
    row.acknowledged?.toLocaleString('en') ?? '',
    row.lost ?? '',
    count ?? '',
    row.gapMs === undefined
      ? ''
      : `${row.gapMs}${row.leastGapMs === undefined ? '' : ` (${row.leastGapMs})`}`,
    remarks.filter((text) => text !== undefined && text !== '').join('; '),
  ];
  return `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** The errors without their counts, slots and addresses, each once. */
function kinds(errors: readonly string[]): readonly string[] {
  const plain = errors.map((text) => text.replace(/^\d+ × /, '').replace(/(MOVED|ASK) \d+ \S+/, '$1'));
  return [...new Set(plain)].slice(0, 4);
}

/** `name value` of the client's settings, those in objects with them. */
function settingsText(settings: Readonly<Record<string, unknown>>): string {
  const flat = Object.entries(settings).flatMap(([name, value]): readonly string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([inner, own]) => `${inner} ${String(own)}`)
      : [`${name} ${String(value)}`],
  );
  return `\`${flat.join('`, `')}\``;
}
