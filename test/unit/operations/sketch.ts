import type { KnownNode, NodeView, OpenSlot } from '../../../src/model/nodeView.ts';
import type { ClusterSnapshot, RedisNode } from '../../../src/model/snapshot.ts';
import type { SlotSet } from '../../../src/model/slots.ts';
import { nothingElse } from '../../support/nothingElse.ts';

/** What a test says of a node; everything else is as in a healthy cluster. */
export interface Sketch {
  readonly slots?: SlotSet;
  readonly masterId?: string;
  readonly health?: RedisNode['health'];
  readonly migrating?: readonly OpenSlot[];
  readonly importing?: readonly OpenSlot[];
  readonly view?: Partial<NodeView>;
}

function nodeOf(
  id: string,
  { slots = [], masterId, health = 'ok', migrating = [], importing = [], view: said = {} }: Sketch,
): RedisNode {
  const role = masterId === undefined ? 'master' : 'replica';
  const port = 6000 + id.charCodeAt(0);
  const common = { id, host: '127.0.0.1', port, busPort: port + 10_000, slots, configEpoch: 1 };
  const master = masterId === undefined ? {} : { masterId };
  const self: KnownNode = {
    ...common,
    ...master,
    flags: [role],
    linkState: 'connected',
    migrating,
    importing,
  };
  const view: NodeView = {
    self,
    others: [],
    clusterState: 'ok',
    slotsAssigned: 16_384,
    currentEpoch: 1,
    product: 'redis',
    version: '7.0.15',
    loading: false,
    keys: 0,
    usedMemoryBytes: 0,
    maxMemoryBytes: 0,
    uncountedMemoryBytes: 0,
    evictionPolicy: 'noeviction',
    persistence: { appendOnlyWritten: true, appendOnlyRewritten: true, snapshotSaved: true },
    uptimeSeconds: 1,
    replication: { role, offset: 0, replicas: [] },
    ...said,
  };
  const answers = health === 'ok' || health === 'degraded';
  return { ...common, ...master, role, health, ...(answers ? { view } : {}) };
}

/** Each lists all others as they are, unless the test says what it lists. */
function connected(nodes: readonly RedisNode[]): readonly RedisNode[] {
  return nodes.map((node) => {
    if (node.view === undefined || node.view.others.length > 0) return node;
    const others = nodes
      .filter((other) => other !== node)
      .map((other) => other.view?.self ?? silentLine(other));
    return { ...node, view: { ...node.view, others } };
  });
}

/** What others list of a node that does not answer. */
function silentLine({ health, role, ...node }: RedisNode): KnownNode {
  return {
    ...node,
    flags: [role, health === 'failed' ? 'fail' : 'fail?'],
    linkState: 'disconnected',
    migrating: [],
    importing: [],
  };
}

const three: Readonly<Record<string, Sketch>> = {
  a: { slots: [[0, 5460]] },
  b: { slots: [[5461, 10_922]] },
  c: { slots: [[10_923, 16_383]] },
  r: { masterId: 'a' },
};

/** Three masters a, b and c with a third of the slots each, and r, a replica of a; changed and added to. */
export function sketchOf(
  changes: Readonly<Record<string, Sketch>> = {},
  base: Readonly<Record<string, Sketch>> = three,
): ClusterSnapshot {
  const sketches = Object.entries({ ...base, ...changes });
  return {
    ref: { addresses: ['127.0.0.1:6097'] },
    name: 'sketch',
    takenAt: 0,
    nodes: connected(sketches.map(([id, sketch]) => nodeOf(id, sketch))),
    ...nothingElse,
    workloads: [],
  };
}
