import { quantity } from '../../model/quantity.ts';
import type { PromoteHow } from '../failover/takeOver.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { deniedText, whyDenied } from '../../model/unread.ts';
import { knowItsMaster } from '../../model/answering.ts';
import {
  answers,
  canElect,
  isInTouch,
  memberOf,
  nameOf,
  refusal,
  replicasOf,
  votersOf,
} from '../servers/nodes.ts';
import { proofOfDeath, signOfLife } from '../failover/death.ts';

/**
 * The replica, where it may take its master's place in this way. Throws a UserError that says why not, and which way
 * there is. Used when the plan is made, and again on the reading right before the command is sent.
 * @param dead masters that a person says are dead, for which nothing else has to prove it
 */
export function promotable(
  snapshot: ClusterSnapshot,
  id: string,
  how: PromoteHow,
  dead: readonly string[] = [],
): RedisNode {
  const node = memberOf(snapshot, id);
  const name = nodeName(node);
  if (node.role === 'master') throw refusal('nothing-to-do', `${name} is already a master.`);
  if (!answers(node)) throw refusal('unreachable', `${name} does not answer.`);
  if (node.view.loading) throw refusal('unsafe', `${name} is still loading its data.`);
  refuseForeignCopy(snapshot, node);
  const master = snapshot.nodes.find((other) => other.id === node.masterId);
  if (how === 'handOver') refuseHandOver(snapshot, node, master);
  else refuseWithoutMaster(node, master);
  if (how === 'takeover') refuseTakeover(snapshot, node, dead);
  else refuseWithoutVotes(snapshot, node);
  return node;
}

/** A replica copies from the address that its master announces: where another member answers there, from that one. */
function refuseForeignCopy({ nodes, impostors }: ClusterSnapshot, node: RedisNode): void {
  const found = impostors.find(({ listedId }) => listedId === node.masterId);
  const other = nodes.find(({ id }) => id === found?.answeringId);
  if (found === undefined || !answers(other)) return;
  throw refusal(
    'unsafe',
    `${nodeName(node)} may hold a copy of another server’s keys: its master announces ${found.address}, where node ${other.id} answers. Correct what the master announces (cluster-announce-ip, cluster-announce-port), and wait until its replicas have copied it.`,
  );
}

function refuseHandOver(snapshot: ClusterSnapshot, node: RedisNode, master: RedisNode | undefined): void {
  const name = nodeName(node);
  if (!answers(master)) {
    const way = !knowItsMaster(snapshot, node)
      ? 'Most masters have forgotten it and elect none of its replicas. Promote with how "takeover" if it is dead.'
      : canElect(snapshot)
        ? 'If the cluster does not elect a replica by itself, promote with how "force".'
        : `${lostMajority(snapshot)} Promote with how "takeover" if they are dead.`;
    const denied = master === undefined ? undefined : whyDenied(master);
    const gone = denied === undefined ? 'does not answer' : `could not be read (${deniedText(denied)})`;
    throw refusal(
      'unsafe',
      `The master of ${name} ${gone}, so a coordinated failover is not possible. ${way}`,
    );
  }
  if (isInTouch(node)) return;
  throw refusal(
    'unsafe',
    `${name} has no link to its master ${nodeName(master)} or is still copying from it. Wait until it is in sync.`,
  );
}

/** Forcing is for a master that is gone: from one that is well, writes not passed on yet would be lost for nothing. */
function refuseWithoutMaster(node: RedisNode, master: RedisNode | undefined): void {
  if (answers(master) && isInTouch(node)) {
    throw refusal(
      'invalid-input',
      `The master of ${nodeName(node)}, ${nodeName(master)}, answers and is connected to it: use how "handOver", which loses no write.`,
    );
  }
}

function refuseWithoutVotes(snapshot: ClusterSnapshot, node: RedisNode): void {
  if (!knowItsMaster(snapshot, node)) {
    const master = snapshot.nodes.find(({ id }) => id === node.masterId);
    const way = answers(master)
      ? '“Heal Cluster…” introduces it again.'
      : 'Promote with how "takeover" if it is dead.';
    throw refusal(
      'unsafe',
      `Most masters have forgotten ${nameOf(snapshot, node.masterId ?? '')}, the master of ${nodeName(node)}, so they do not elect its replica. ${way}`,
    );
  }
  if (canElect(snapshot)) return;
  throw refusal(
    'unsafe',
    `${lostMajority(snapshot)} The remaining masters are too few to elect ${nodeName(node)}. Restore one of them, or promote with how "takeover" if they are dead.`,
  );
}

function refuseTakeover(snapshot: ClusterSnapshot, node: RedisNode, dead: readonly string[]): void {
  const name = nodeName(node);
  if (canElect(snapshot) && knowItsMaster(snapshot, node)) {
    throw refusal(
      'invalid-input',
      `Most masters answer and can elect ${name}: promote with how "force", which asks for their votes.`,
    );
  }
  const master = snapshot.nodes.find(({ id }) => id === node.masterId);
  if (answers(master)) {
    throw refusal('unsafe', `The master of ${name}, ${nodeName(master)}, answers: it is not dead.`);
  }
  const alive = dead.flatMap((id) => signOfLife(snapshot, memberOf(snapshot, id)) ?? []);
  if (alive.length > 0) {
    throw refusal(
      'unsafe',
      `${alive.join('; ')}. A takeover beside a running master loses the writes that the master still accepts. Wait until this has changed, or stop the master.`,
    );
  }
  const unproven = presumedDead(snapshot).filter((id) => !dead.includes(id));
  if (unproven.length > 0) throw unprovenDeath(snapshot, unproven);
  refuseUnheard(snapshot, node);
}

/** A takeover chooses its epoch by itself, one above all it has heard of: two with the same one would collide. */
function refuseUnheard({ nodes }: ClusterSnapshot, node: RedisNode): void {
  const newest = Math.max(...nodes.map(({ view, configEpoch }) => (view === undefined ? 0 : configEpoch)));
  if ((node.view?.currentEpoch ?? 0) >= newest) return;
  throw refusal(
    'unsafe',
    `${nodeName(node)} has not yet received the latest failover (config epoch ${newest}). Try again in a few seconds.`,
  );
}

/** Masters whose votes are missing and of which Kubernetes does not say that they are dead; by node id. */
export function presumedDead(snapshot: ClusterSnapshot): readonly string[] {
  const { silent } = votersOf(snapshot);
  return silent.filter((one) => proofOfDeath(snapshot, one) === undefined).map(({ id }) => id);
}

function unprovenDeath(snapshot: ClusterSnapshot, ids: readonly string[]): Error {
  const unproven = ids.map((id) => memberOf(snapshot, id));
  const listed = unproven.map((node) => `"${node.id}"`).join(', ');
  return refusal(
    'unsafe',
    `${lostMajority(snapshot)} Nothing proves that ${unproven.map(nodeName).join(', ')} stopped. A master that does not answer may still be running and accept writes, which are lost when it reconnects. If you know that they are dead, “Promote Replica…” asks you to confirm it; a call of the command names them: "dead": [${listed}].`,
  );
}

/** How many votes are missing, and which replicas have the data of whom. */
function lostMajority(snapshot: ClusterSnapshot): string {
  const { all, silent } = votersOf(snapshot);
  const isAnyDenied = silent.some((node) => whyDenied(node) !== undefined);
  const candidates = silent.map((master) => {
    const names = replicasOf(snapshot, master.id)
      .filter((one) => answers(one))
      .map(nodeName);
    if (names.length === 0) return `no replica has the data of ${nodeName(master)}`;
    return `${names.join(', ')} ${names.length === 1 ? 'has' : 'have'} the data of ${nodeName(master)}`;
  });
  return `${silent.length} of ${quantity(all.length, 'voting master')} ${isAnyDenied ? 'could not be read' : 'do not answer'} (${silent.map(silentText).join(', ')}); ${candidates.join(', ')}.`;
}

/** A master that could not be read may be healthy, so the reason stands beside its name. */
function silentText(node: RedisNode): string {
  const denied = whyDenied(node);
  return denied === undefined ? nodeName(node) : `${nodeName(node)}: ${deniedText(denied)}`;
}
