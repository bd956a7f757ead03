import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { agrees } from '../../../src/checks/agreement.ts';
import { check, isSound } from '../../../src/checks/check.ts';
import type { Finding } from '../../../src/model/finding.ts';
import { slotCount } from '../../../src/model/slots.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { isUnread } from '../../../src/model/unread.ts';
import type { ShapeFixture } from './fixture.ts';

export const nodeCount = 6;

/** All clusters that the window shows after a reading that begins now. */
async function clustersOf(fixture: ShapeFixture): Promise<readonly ClusterSnapshot[]> {
  const inventory = fixture.inventory();
  await inventory.refresh();
  return inventory.contexts().flatMap(({ scopes }) => scopes.flatMap(({ clusters }) => clusters));
}

/** The shape's cluster, the only one there is whatever happens to its pods; never sound where nothing of it was read. */
export async function onlyCluster(fixture: ShapeFixture): Promise<ClusterSnapshot | undefined> {
  const clusters = await clustersOf(fixture);
  const names = clusters.map(({ name }) => name);
  assert.ok(names.length <= 1, `several clusters: ${names.join(', ')}`);
  const [cluster] = clusters;
  if (cluster === undefined) return undefined;
  assert.equal(cluster.name, fixture.shape.name);
  if (isUnread(cluster)) assert.ok(!isSound(check(cluster)), 'nothing was read, and it is called sound');
  return cluster;
}

/** Whether all nodes say that all is served, and agree who does. */
export function isServing(cluster: ClusterSnapshot): boolean {
  const views = cluster.nodes.flatMap(({ view }) => view ?? []);
  return (
    cluster.nodes.length === nodeCount &&
    views.length === nodeCount &&
    views.every(({ clusterState, slotsAssigned }) => clusterState === 'ok' && slotsAssigned === slotCount) &&
    agrees(cluster)
  );
}

/** What is found wrong; that pods have no volumes is as the shape says. */
export function problemsOf(cluster: ClusterSnapshot): readonly Finding[] {
  return check(cluster).filter(({ rule, severity }) => severity !== 'info' && rule !== 'no-volume');
}

/** Whether nothing is left to wish for either. */
export function isWhole(cluster: ClusterSnapshot): boolean {
  const areLinked = cluster.nodes.every(
    ({ view }) => view?.replication.role === 'master' || view?.replication.linkUp === true,
  );
  return isServing(cluster) && areLinked && problemsOf(cluster).length === 0;
}

/** Reads until it is so; says what was read last where that does not come. */
export async function readUntil(
  fixture: ShapeFixture,
  what: string,
  isSo: (cluster: ClusterSnapshot) => boolean,
  seconds = 90,
): Promise<ClusterSnapshot> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const cluster = await onlyCluster(fixture);
    if (cluster !== undefined && isSo(cluster)) return cluster;
    if (performance.now() > end) assert.fail(`not within ${seconds} s: ${what}; ${storyOf(cluster)}`);
    await sleep(300);
  }
}

/** What a reading says, for a test that fails. */
export function storyOf(cluster: ClusterSnapshot | undefined): string {
  if (cluster === undefined) return 'no cluster';
  const nodes = cluster.nodes.map(
    ({ pod, id, role, health, unreachable, view }) =>
      `${pod?.name ?? id} ${role} ${health} ${view?.clusterState ?? unreachable?.message ?? ''}`,
  );
  const findings = check(cluster).map(({ severity, message }) => `${severity}: ${message}`);
  const unread = cluster.unread.map((one) => JSON.stringify(one));
  const loose = cluster.loosePods.map(({ name }) => `loose ${name}`);
  return [...nodes, ...loose, ...unread, ...findings].join('\n  ');
}
