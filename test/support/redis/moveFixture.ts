import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { keySlot } from '../../../src/model/keySlot.ts';
import type { NodeView } from '../../../src/model/nodeView.ts';
import type { SlotSet } from '../../../src/model/slots.ts';
import { concurrentMoves, type ConcurrentMoves } from '../../../src/redis/moveSlots/concurrentMoves.ts';
import { moveSlots } from '../../../src/redis/moveSlots/moveSlots.ts';
import type { MoveRequest, MoveResult } from '../../../src/redis/moveSlots/request.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { readNodeView } from '../../../src/redis/nodeView.ts';
import type { ClusterNode, TestCluster } from '../startRedisCluster.ts';
import type { Write } from './fill.ts';

/** One of the nodes as they were when the cluster was formed. */
export function nodeAt(cluster: TestCluster, index: number): ClusterNode {
  const node = cluster.nodes[index];
  if (node === undefined) throw new Error(`there is no node ${index}`);
  return node;
}

const running = new WeakMap<TestCluster, ConcurrentMoves>();

/** Those that a test runs at the same time know of each other. */
function movesOf(cluster: TestCluster): ConcurrentMoves {
  const moves = running.get(cluster) ?? concurrentMoves();
  running.set(cluster, moves);
  return moves;
}

/** Moves slots from the first master to the second, or as `changes` say. */
export async function move(
  cluster: TestCluster,
  slots: SlotSet,
  changes: Partial<MoveRequest> = {},
): Promise<MoveResult> {
  const { from = nodeAt(cluster, 0).id, to = nodeAt(cluster, 1).id } = changes;
  const targetAddress = cluster.nodes.find(({ id }) => id === to);
  assert.ok(targetAddress !== undefined);
  return await moveSlots({
    dialer: cluster.dialer,
    ...{ from, to, slots, targetAddress },
    otherMasters: cluster.nodes
      .filter(({ id, role }) => role === 'master' && id !== from && id !== to)
      .map(({ id }) => id),
    signal: new AbortController().signal,
    moves: movesOf(cluster),
    ...changes,
  });
}

export async function withNode<T>(
  { dialer }: TestCluster,
  { id }: ClusterNode,
  use: (connection: NodeConnection) => Promise<T>,
): Promise<T> {
  const connection = await dialer.dial(id);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

export async function viewOf(cluster: TestCluster, node: ClusterNode): Promise<NodeView> {
  return await withNode(cluster, node, (connection) => readNodeView(connection));
}

/** Sees that none of these nodes has a slot open. */
export async function assertNoneOpen(cluster: TestCluster, nodes: readonly ClusterNode[]): Promise<void> {
  for (const node of nodes) {
    const { self } = await viewOf(cluster, node);
    assert.deepEqual([...self.migrating, ...self.importing], [], `${node.host}:${node.port}`);
  }
}

/** The judgement of the servers' own redis-cli; replicas hear of new owners by gossip, so it may need a moment. */
export async function assertWhole(cluster: TestCluster, via: ClusterNode): Promise<void> {
  let answer = { code: 1, stdout: '' };
  for (let attempt = 0; attempt < 60 && answer.code !== 0; attempt++) {
    answer = await cluster.cli('--cluster', 'check', `${via.host}:${via.port}`);
    if (answer.code !== 0) await sleep(100);
  }
  assert.equal(answer.code, 0, answer.stdout);
}

export async function until(isSo: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`it did not happen within a minute: ${what}`);
    await sleep(50);
  }
}

export function* plainWrites(count: number): Generator<Write> {
  for (let number = 0; number < count; number++) {
    const key = Buffer.concat([Buffer.of(0xff, 0, 0x80), Buffer.from(String(number))]);
    yield ['SET', key, `value ${number}`];
  }
}

/** The first of `name:0`, `name:1` … whose slot is one of these. */
export function keyIn(name: string, slots: SlotSet): string {
  const [[first, last] = [0, 0]] = slots;
  for (let number = 0; ; number++) {
    const slot = keySlot(`${name}:${number}`);
    if (slot >= first && slot <= last) return `${name}:${number}`;
  }
}
