import { knowItsMaster } from '../../model/answering.ts';
import { quantity } from '../../model/quantity.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Plan } from '../plans/plan.ts';
import { makeStep, type StepOf } from '../steps/index.ts';
import { nodeName, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { formatSlots } from '../../model/slots.ts';
import { answers, memberOf, namesIn, refusal, replicasOf, votersOf } from '../servers/nodes.ts';
import { proofOfDeath } from './death.ts';
import { lossesFor, offsetOf } from './losses.ts';
import { promotable } from '../refusals/promoting.ts';

interface Request {
  /** A replica that is preferred to the others of its shard, by node id. */
  readonly node?: string;
  /** Masters that the caller knows to be dead, by node id. */
  readonly dead?: readonly string[];
}

/**
 * Plans to give every dead master a successor when too few are left to elect any: as many takeovers as make a majority
 * again, one after the other, then elections for the rest, since only these cannot choose an epoch twice. Throws a
 * UserError where a majority answers, or where neither Kubernetes nor the caller says that the silent masters are dead.
 */
export function planTakeovers(snapshot: ClusterSnapshot, { node, dead = [] }: Request): Plan {
  const { all, silent } = votersOf(snapshot);
  const chosen = node === undefined ? firstHeir(snapshot, silent) : memberOf(snapshot, node);
  promotable(snapshot, chosen.id, 'takeover', dead);
  const pairs = silent
    .map((master) => ({
      master,
      candidate: chosen.masterId === master.id ? chosen : bestReplica(snapshot, master),
    }))
    .sort((a, b) => Number(b.candidate === chosen) - Number(a.candidate === chosen));
  const served = pairs.flatMap(({ master, candidate }) =>
    candidate === undefined ? [] : [{ master, candidate }],
  );
  const missing = Math.floor(all.length / 2) + 1 - (all.length - silent.length);
  const steps = served.map(({ master, candidate }, index) =>
    stepFor(snapshot, master, candidate, index < missing || !knowItsMaster(snapshot, candidate), dead),
  );
  const names = served.map(({ candidate }) => nodeName(candidate)).join(', ');
  return {
    title: `Promote ${names} of ${snapshot.name}`,
    ref: snapshot.ref,
    operation: 'promote',
    request: {
      how: 'takeover',
      ...(node === undefined ? {} : { node }),
      ...(dead.length === 0 ? {} : { dead }),
    },
    steps,
    warnings: [
      `${silent.length} of ${quantity(all.length, 'voting master')} are gone; ${names} ${served.length === 1 ? 'has' : 'have'} their data.`,
      ...silent.map((master) => whyDead(snapshot, master)),
      ...pairs.flatMap(({ master, candidate }) => (candidate === undefined ? [unservedText(master)] : [])),
    ],
    losses: [
      ...served.flatMap(({ candidate }) => lossesFor(snapshot, candidate)),
      ...presumedLosses(snapshot, silent),
    ],
  };
}

/** The answering replica that has most of its master's stream. */
function bestReplica(snapshot: ClusterSnapshot, master: RedisNode): RedisNode | undefined {
  return replicasOf(snapshot, master.id)
    .filter((one) => answers(one) && !one.view.loading)
    .sort((a, b) => offsetOf(b) - offsetOf(a) || (a.id < b.id ? -1 : 1))[0];
}

function firstHeir(snapshot: ClusterSnapshot, silent: readonly RedisNode[]): RedisNode {
  const candidate = silent.map((master) => bestReplica(snapshot, master)).find((one) => one !== undefined);
  if (candidate !== undefined) return candidate;
  throw refusal(
    silent.length === 0 ? 'invalid-input' : 'unsafe',
    silent.length === 0
      ? `Every master of ${snapshot.name} with hash slots answers: no takeover is needed.`
      : `No replica of ${silent.map(nodeName).join(', ')} answers, so none can be promoted. “Fix Uncovered Slots…” assigns their slots to other masters.`,
  );
}

function stepFor(
  snapshot: ClusterSnapshot,
  master: RedisNode,
  candidate: RedisNode,
  isTakeover: boolean,
  dead: readonly string[],
): StepOf<'promote'> {
  const slots = slotsText(master.slots);
  const promoted = {
    node: candidate.id,
    how: isTakeover ? ('takeover' as const) : ('force' as const),
    master: master.id,
    ...(dead.length === 0 ? {} : { dead }),
  };
  const note = isTakeover ? slots : `${slots}, once a majority of masters answers`;
  return makeStep('promote', promoted, namesIn(snapshot), note);
}

/** On whose word a silent node counts as dead, as a sentence. */
export function whyDead(snapshot: ClusterSnapshot, master: RedisNode): string {
  const proof = proofOfDeath(snapshot, master);
  const name = `${nodeName(master)} (${master.id.slice(0, 8)})`;
  if (proof !== undefined) return `${name}: ${proof}.`;
  const source = isKubernetesRef(snapshot.ref)
    ? 'Kubernetes does not confirm it'
    : 'nothing else confirms it';
  return `${name} is treated as dead because you confirmed it; ${source}. Make sure that it is stopped, or that no client reaches it.`;
}

function unservedText(master: RedisNode): string {
  return `No replica of ${nodeName(master)} answers: its slots ${formatSlots(master.slots)} remain without a master.`;
}

function presumedLosses(snapshot: ClusterSnapshot, silent: readonly RedisNode[]): readonly string[] {
  const presumed = silent.filter((master) => proofOfDeath(snapshot, master) === undefined);
  if (presumed.length === 0) return [];
  return [
    `If ${presumed.map(nodeName).join(' or ')} still runs somewhere: everything that clients write there from now on is lost when it returns.`,
  ];
}
