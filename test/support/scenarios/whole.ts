import { setTimeout as sleep } from 'node:timers/promises';
import type { KnownNode } from '../../../src/model/nodeView.ts';
import { slotCount } from '../../../src/model/slots.ts';
import { selector, type Deployment } from './deployment.ts';
import { server, type Server } from './servers.ts';

export interface WholeOptions {
  /** From when the seconds count, as performance.now() says it; from the call otherwise. */
  readonly since?: number;
  /** Seconds after which it fails with what the agents logged. */
  readonly limit?: number;
  /** Whether nodes may still be listed whose pods were taken away; they count as failed and own nothing. */
  readonly goneMayBeListed?: boolean;
}

/**
 * Resolves to the seconds until the cluster is whole: that many pods, all ready; every node says ok, all slots served,
 * and knows exactly the others; every replica is in touch with its master.
 */
export async function untilWhole(
  deployment: Deployment,
  pods: number,
  { since = performance.now(), limit = 240, goneMayBeListed = false }: WholeOptions = {},
): Promise<number> {
  for (;;) {
    const lacking = await whatIsLacking(deployment, pods, goneMayBeListed).catch((error: unknown) =>
      String(error),
    );
    const seconds = (performance.now() - since) / 1000;
    if (lacking === undefined) return Math.round(seconds * 10) / 10;
    if (seconds > limit)
      throw new Error(`not whole after ${limit} s: ${lacking}\n${await story(deployment)}`);
    // Asking costs these machines time that pods need.
    await sleep(400);
  }
}

/** `undefined` where the cluster is whole. */
async function whatIsLacking(
  deployment: Deployment,
  count: number,
  goneMayBeListed: boolean,
): Promise<string | undefined> {
  const pods = await deployment.pods();
  const ready = pods.filter((pod) => pod.ready && !pod.leaving);
  if (pods.length !== count || ready.length !== count)
    return `${ready.length} of ${pods.length} pods are ready, ${count} awaited`;
  const all = await Promise.all(pods.map((pod) => server(deployment, pod)));
  const ids = new Set(all.map(({ view }) => view.self.id));
  for (const one of all) {
    const gone = ({ id, flags, slots }: KnownNode): boolean =>
      goneMayBeListed && !ids.has(id) && flags.includes('fail') && slots.length === 0;
    const others = one.view.others.filter((other) => !gone(other));
    const lacking = whatOneLacks({ ...one, view: { ...one.view, others } }, ids);
    if (lacking !== undefined) return `${one.name}: ${lacking}`;
  }
  return undefined;
}

function whatOneLacks({ view, slotsOk }: Server, ids: ReadonlySet<string>): string | undefined {
  const { self, others, replication } = view;
  if (view.clusterState !== 'ok') return 'cluster state is not ok';
  if (slotsOk !== slotCount) return `${slotsOk} slots are served`;
  const unknownNodes = others.filter(({ id }) => !ids.has(id));
  if (unknownNodes.length > 0) return `knows ${unknownNodes.map(({ id }) => id).join(', ')}, which no pod is`;
  if (others.length !== ids.size - 1) return `knows ${others.length} others`;
  const ill = others.find(({ flags }) => flags.some((flag) => /fail|noaddr|handshake/.test(flag)));
  if (ill !== undefined) return `sees ${ill.id} as ${ill.flags.join(',')}`;
  if (self.migrating.length + self.importing.length > 0) return 'has open slots';
  if (replication.role === 'replica' && replication.linkUp !== true) return 'has no link to its master';
  return undefined;
}

/** How many masters with slots, and how many replicas, by what the servers say of themselves. */
export function shapeOf(all: readonly Server[]): { readonly masters: number; readonly replicas: number } {
  const masters = all.filter(({ view }) => view.self.slots.length > 0).length;
  return { masters, replicas: all.filter(({ view }) => view.replication.role === 'replica').length };
}

/** What the agents and the servers logged last, for a failing test to show. */
export async function story({ kubectl }: Deployment): Promise<string> {
  const logs = ['logs', '-l', selector, '--prefix', '--max-log-requests=20'];
  const texts = await Promise.all([
    kubectl(['get', 'pods', '-o', 'wide']).catch(String),
    kubectl(['get', 'events', '--sort-by=.metadata.creationTimestamp']).catch(String),
    kubectl([...logs, '-c', 'agent', '--tail=30']).catch(String),
    kubectl([...logs, '-c', 'redis', '--tail=10']).catch(String),
  ]);
  return texts.join('\n');
}
