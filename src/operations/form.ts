import { describeRef } from '../model/clusterRef.ts';
import type { Plan } from './plans/plan.ts';
import { makeStep, type Step } from './steps/index.ts';
import { quantity } from '../model/quantity.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { formatSlots } from '../model/slots.ts';
import { fewestMasters } from '../model/unformed.ts';
import { arrangeShards, type PlannedShard } from './forming/arrange.ts';
import type { FormFacts, FormServer } from './forming/server.ts';
import { refusal } from './servers/nodes.ts';
import type { NameOf } from './steps/step.ts';

export interface FormRequest {
  /** Half of the servers if absent, or all of fewer than six. */
  readonly masters?: number;
  /** What the number of servers comes to if absent; servers beyond it become further replicas. */
  readonly replicasPerMaster?: number;
}

/**
 * Plans to make a cluster of empty servers that never formed one: all are introduced to each other, the masters share
 * the slots, and replicas follow masters elsewhere. Throws a UserError that names every server that is not empty, does
 * not answer or knows others.
 */
export function planForm(snapshot: ClusterSnapshot, request: FormRequest, facts: FormFacts): Plan {
  refuseFormed(snapshot);
  refuseUnusable(snapshot, facts);
  refuseMissingPods(snapshot);
  const { servers } = facts;
  const shards = arrangeShards(servers, mastersFor(servers.length, request));
  return {
    title: `Form a cluster of ${quantity(servers.length, 'server')} (${describeRef(snapshot.ref)})`,
    ref: snapshot.ref,
    operation: 'form',
    request,
    steps: [introduction(servers), ...shards.map((shard) => shardStep(shard))],
    warnings: togetherWarnings(shards),
    losses: [],
  };
}

/** How many masters that many servers have unless a person says otherwise. */
export function usualMasters(servers: number): number {
  return servers >= 2 * fewestMasters ? Math.floor(servers / 2) : servers;
}

function refuseFormed({ ref, nodes }: ClusterSnapshot): void {
  if (!nodes.some(({ slots }) => slots.length > 0)) return;
  const isWhole = nodes.every(({ view }) => view?.clusterState === 'ok');
  throw refusal(
    'invalid-input',
    isWhole
      ? `${describeRef(ref)} is a cluster already.`
      : `${describeRef(ref)} was formed before: its nodes own hash slots. “Check Cluster” shows what is missing.`,
  );
}

function refuseUnusable({ ref }: ClusterSnapshot, { servers, obstacles }: FormFacts): void {
  const twins = servers.filter(({ id }, index) => servers.findIndex((one) => one.id === id) !== index);
  const ids = new Set(servers.map(({ id }) => id));
  const problems = [
    ...obstacles.map(({ name, why }) => `${name}: ${why}`),
    ...twins.map(({ name, id }) => `${name}: it is node ${id.slice(0, 8)}, which is named twice.`),
    ...servers.flatMap((server) => whyNotEmpty(server, ids)),
    ...loopbackProblem(servers),
  ];
  if (problems.length === 0) return;
  throw refusal(
    'unsafe',
    `A cluster is formed only of empty servers that all answer. ${describeRef(ref)}: ${problems.join(' ')}`,
  );
}

/** Pods that are still to come would be left out. */
function refuseMissingPods({ nodes, workloads }: ClusterSnapshot): void {
  const wanted = workloads.reduce((sum, { replicas }) => sum + replicas, 0);
  if (wanted <= nodes.length) return;
  throw refusal('unsafe', `${quantity(nodes.length, 'pod')} of ${wanted} exist. Wait until all are running.`);
}

function whyNotEmpty(server: FormServer, ids: ReadonlySet<string>): readonly string[] {
  const { name, keys, role, lacksMasterAuth } = server;
  const foreign = server.others.filter((id) => !ids.has(id));
  return [
    ...(keys > 0 ? [`${name} holds ${quantity(keys, 'key')}.`] : []),
    ...(server.slots.length > 0 ? [`${name} owns hash slots ${formatSlots(server.slots)}.`] : []),
    ...(role === 'replica' ? [`${name} is a replica.`] : []),
    ...(foreign.length > 0 ? [`${name} knows ${quantity(foreign.length, 'other node')}.`] : []),
    ...(lacksMasterAuth ? [`${name} requires a password, but has no masterauth for replication.`] : []),
  ];
}

/** To a server on another machine 127.0.0.1 is itself. */
function loopbackProblem(servers: readonly FormServer[]): readonly string[] {
  const local = servers.filter(({ host }) => host.startsWith('127.') || host === '::1');
  if (local.length === 0 || local.length === servers.length) return [];
  return local.map(({ name }) => `${name}: servers on other machines cannot reach that address.`);
}

function mastersFor(servers: number, { masters, replicasPerMaster }: FormRequest): number {
  const number =
    masters ??
    (replicasPerMaster === undefined ? usualMasters(servers) : Math.floor(servers / (1 + replicasPerMaster)));
  if (!Number.isInteger(number) || number < fewestMasters) {
    throw refusal(
      'invalid-input',
      `A cluster needs at least ${fewestMasters} masters to survive the loss of one; ${quantity(servers, 'server')} would give ${number}.`,
    );
  }
  const each = Math.floor(servers / number) - 1;
  if (each < 0) {
    throw refusal(
      'invalid-input',
      `${quantity(number, 'master')} need more than ${quantity(servers, 'server')}.`,
    );
  }
  if (replicasPerMaster !== undefined && replicasPerMaster !== each) {
    throw refusal(
      'invalid-input',
      `${quantity(servers, 'server')} with ${quantity(number, 'master')} make ${quantity(each, 'replica')} per master, not ${replicasPerMaster}.`,
    );
  }
  return number;
}

function introduction(servers: readonly FormServer[]): Step {
  const introduced = servers.map(({ id, host, port, busPort }) => ({ node: id, host, port, busPort }));
  return makeStep('introduce', { servers: introduced }, namesOf(servers));
}

function shardStep({ master, slots, replicas }: PlannedShard): Step {
  const shard = { node: master.id, slots, replicas: replicas.map(({ id }) => id) };
  return makeStep('formShard', shard, namesOf([master, ...replicas]));
}

/** Outside Kubernetes a server that nobody knows yet is no node of the snapshot. */
function namesOf(servers: readonly FormServer[]): NameOf {
  return (id) => servers.find((one) => one.id === id)?.name ?? id;
}

function togetherWarnings(shards: readonly PlannedShard[]): readonly string[] {
  const bare = shards.filter(({ replicas }) => replicas.length === 0);
  const together = shards.flatMap(({ master, replicas }) =>
    replicas.filter(({ place }) => place === master.place).map(({ name }) => `${name} and ${master.name}`),
  );
  return [
    ...(bare.length === 0
      ? []
      : [
          `Without replicas, the keys of a lost server are lost with it: ${bare.map(({ master }) => master.name).join(', ')}.`,
        ]),
    ...(together.length === 0 ? [] : [`On the same machine, so they fail together: ${together.join('; ')}.`]),
  ];
}
