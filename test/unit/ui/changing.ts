import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { ids, line, silent, snapshotOf, source } from '../sample.ts';

type Node = ClusterSnapshot['nodes'][number];

function podless(node: Node): Node {
  const copy: { -readonly [Field in keyof Node]: Node[Field] } = { ...node };
  delete copy.pod;
  return copy;
}

/** By address there are no pods. */
export function withoutPods(snapshot: ClusterSnapshot): ClusterSnapshot {
  return { ...snapshot, nodes: snapshot.nodes.map(podless), workloads: [], loosePods: [], unread: [] };
}

const whole = (): ClusterSnapshot => snapshotOf(ids.map((id) => source(id)));

/** As `whole`, with what all say of some nodes changed. */
function seenAs(changes: Readonly<Record<string, Parameters<typeof line>[1]>>, dead: readonly string[] = []) {
  return (): ClusterSnapshot =>
    snapshotOf(
      ids.map((id) =>
        dead.includes(id)
          ? silent(id)
          : source(id, {
              self: line(id, changes[id]),
              others: ids.filter((other) => other !== id).map((other) => line(other, changes[other])),
            }),
      ),
    );
}

const unclaimed = seenAs({ m0: { slots: [[100, 5460]] } });
const lost = seenAs({ m2: { flags: ['master', 'fail'] }, r2: { flags: ['slave', 'fail'] } }, ['m2', 'r2']);
const minority = seenAs({ m1: { flags: ['master', 'fail?'] }, m2: { flags: ['master', 'fail?'] } }, [
  'm1',
  'm2',
]);
const masterless = seenAs({ m2: { flags: ['master', 'fail'] } }, ['m2']);
/** A move of slot 5 that was interrupted. */
const open = seenAs({
  m0: { migrating: [{ slot: 5, nodeId: 'm1' }] },
  m1: { importing: [{ slot: 5, nodeId: 'm0' }] },
});
/** A replica that failed and is in no pod. */
const ghost = (): ClusterSnapshot => {
  const snapshot = seenAs({ r2: { flags: ['slave', 'fail'] } }, ['r2'])();
  return { ...snapshot, nodes: snapshot.nodes.map((node) => (node.id === 'r2' ? podless(node) : node)) };
};
/** Four masters, so that one can go. */
const four = (): ClusterSnapshot => {
  const quarter = (index: number): [number, number][] => [[index * 4096, index * 4096 + 4095]];
  const own = ['m0', 'm1', 'm2', 'm3'];
  const lines = own.map((id, index) => line(id, { slots: quarter(index) }));
  return snapshotOf(
    lines.map((self) => source(self.id, { self, others: lines.filter((other) => other !== self) })),
  );
};

/** Six empty servers that know nobody. */
const unformed = (): ClusterSnapshot => {
  const alone = (id: string, index: number): ReturnType<typeof source> =>
    source(id, {
      ...{ self: line(`m${index}`, { id, slots: [], host: '' }), others: [], keys: 0, slotsAssigned: 0 },
      replication: { role: 'master', offset: 0, replicas: [] },
    });
  const snapshot = snapshotOf(ids.map(alone));
  return { ...snapshot, workloads: snapshot.workloads.map((one) => ({ ...one, bundled: false })) };
};
/** A replica whose pod has ended and is not replaced. */
const ended = (): ClusterSnapshot => {
  const snapshot = seenAs({}, ['r2'])();
  const nodes = snapshot.nodes.map((node) =>
    node.id === 'r2' && node.pod !== undefined ? { ...node, pod: { ...node.pod, phase: 'Failed' } } : node,
  );
  return { ...snapshot, nodes };
};

/** A folder with an RDB file that has no keys: its header, its end, and a sum that says that none was computed. */
const backup = mkdtempSync(join(tmpdir(), 'backup-'));
writeFileSync(
  join(backup, 'empty.rdb'),
  Buffer.concat([Buffer.from('REDIS0011'), Buffer.of(255), Buffer.alloc(8)]),
);
process.on('exit', () => {
  rmSync(backup, { recursive: true });
});

export interface Changing {
  /** `person`: a person sees the plan; `always`: everybody does; `word`: and types the cluster's name. */
  readonly asks: 'person' | 'always' | 'word';
  readonly state: () => ClusterSnapshot;
  /** All answers beside the cluster. */
  readonly answers?: object;
  /** Where it works; everywhere if it is not said. */
  readonly only?: 'kubernetes' | 'addresses';
  /** What a person types where one is asked for more than the cluster. */
  readonly types?: string;
  /** The node of the row it is started from, where that is not the cluster's. */
  readonly row?: string;
}

/** Commands that change no cluster, or only stop what runs: none of them may reach a plan. */
export const unplanned = [
  ...[
    'addByAddress',
    'backup',
    'cancelOperation',
    'check',
    'copy',
    'copyPlan',
    'goToKey',
    'goToNode',
    'groupBy',
    'reshardSandbox',
    'showInStatusBar',
    'dryRunPlan',
    'exportManifests',
  ],
  ...[
    'openRedisCli',
    'openSettings',
    'openSlotMap',
    'reachNodes',
    'refresh',
    'removeAddress',
    'showLogs',
    'signIn',
    'signOut',
    'snapshot',
  ],
  ...['startSandbox', 'stopSandbox', 'dismiss', 'showUnfinished'],
];
/** Plans that are asked for in more ways than by naming a cluster; `test/vscode` shows what they ask. */
export const elsewhere = ['cloneCluster', 'deploy', 'rehearseRestore', 'runPlan', 'resume', 'repair'];

const takeover: Changing = {
  ...{ asks: 'word', state: minority, answers: { how: 'takeover', dead: ['m1', 'm2'] } },
};

export const changing: Readonly<Record<string, readonly Changing[]>> = {
  addShard: [
    { asks: 'person', state: whole, only: 'kubernetes' },
    {
      ...{ asks: 'person', state: whole, only: 'addresses', types: '10.0.9.9:6379' },
      answers: { addresses: ['10.0.9.9:6379'] },
    },
  ],
  createOperatorUser: [{ asks: 'person', state: whole, answers: { user: 'ops' }, types: 'ops' }],
  delete: [
    { asks: 'word', state: whole, only: 'kubernetes', answers: { volumes: false } },
    { asks: 'word', state: whole, only: 'kubernetes', answers: { volumes: true } },
  ],
  fix: [
    { asks: 'always', state: unclaimed },
    { asks: 'word', state: lost },
  ],
  flush: [{ asks: 'word', state: whole }],
  forget: [{ asks: 'always', state: ghost, answers: { node: 'r2' }, row: 'r2' }],
  form: [{ asks: 'person', state: unformed, only: 'kubernetes', answers: { masters: 3 }, types: '3' }],
  heal: [{ asks: 'person', state: open }],
  moveMastersOff: [
    {
      ...{ asks: 'person', answers: { worker: 'worker-0' }, only: 'kubernetes' },
      state: () => {
        const snapshot = whole();
        const nodes = snapshot.nodes.map((node) =>
          node.role === 'replica' && node.pod !== undefined
            ? { ...node, pod: { ...node.pod, worker: 'worker-1' } }
            : node,
        );
        return { ...snapshot, nodes };
      },
    },
  ],
  promote: [
    { asks: 'person', state: whole, answers: { node: 'r0' }, row: 'r0' },
    { asks: 'word', state: masterless, answers: { node: 'r2', how: 'force' }, row: 'r2' },
    { ...takeover, only: 'addresses' },
  ],
  rebalance: [
    {
      ...{ asks: 'person', answers: { weights: { m0: 2 } } },
      state: whole,
    },
  ],
  removeShard: [{ asks: 'always', state: four, only: 'addresses', answers: { node: 'm3' }, row: 'm3' }],
  replacePod: [{ asks: 'always', state: ended, only: 'kubernetes' }],
  replicate: [{ asks: 'person', state: whole, answers: { node: 'r0', master: 'm1' }, row: 'r0' }],
  reshard: [{ asks: 'person', state: whole, answers: { to: 'm0', slots: 10 }, types: '10' }],
  restore: [
    { asks: 'person', state: whole, answers: { from: backup, mode: 'merge' } },
    { asks: 'word', state: whole, answers: { from: backup, mode: 'replace' } },
  ],
  rollingRestart: [{ asks: 'person', state: whole, only: 'kubernetes' }],
  rotatePassword: [{ asks: 'person', state: whole, only: 'kubernetes' }],
  scale: [
    { asks: 'person', state: whole, only: 'kubernetes', answers: { pods: 9 }, types: '9' },
    { asks: 'always', state: whole, only: 'kubernetes', answers: { pods: 5 }, types: '5' },
    { asks: 'word', state: whole, only: 'kubernetes', answers: { pods: 5, volumes: true } },
  ],
  saveKeys: [{ asks: 'person', state: whole }],
  scheduleBackup: [
    {
      ...{ asks: 'person', state: whole, only: 'kubernetes' },
      answers: { schedule: '0 3 * * *' },
    },
  ],
  setConfig: [
    { asks: 'person', state: whole, answers: { name: 'hz', value: '20' }, types: 'hz 20' },
    { asks: 'word', state: whole, answers: { name: 'appendonly', value: 'no' }, types: 'appendonly no' },
  ],
  upgrade: [
    { asks: 'person', state: whole, only: 'kubernetes', answers: { memory: '512Mi' }, types: 'redis:7.0.16' },
  ],
};
