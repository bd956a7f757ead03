import { copyText } from '../../model/bytes.ts';
import { UserError } from '../../model/errors.ts';
import { waitForPods, type Look } from '../deploy/waitForPods.ts';
import { changeSet, observedSet } from './changeSet.ts';
import { handOver } from './handOver.ts';
import type { AgentPauses } from './agentPauses.ts';
import { illness, readMembers, untilWell, type Member } from './members.ts';
import type { Place, UpgradePorts } from './ports.ts';

/**
 * Renews the pods one after another from the highest ordinal down, by lowering the StatefulSet's partition. Each time
 * the whole cluster has to be well first, a master hands over, and the pod has to be back with its node in step.
 * Pods that are new already are left alone, so this goes on where an earlier one stopped.
 * @param unattended pods whose slots may go unserved while they restart
 * @param onRenewed told of each pod that is back, but for one whose restart was begun by an earlier run
 * @param pauses undefined where pods keep no files: then their agents have to join them, under new ids
 */
export async function rollPods(
  place: Place,
  ports: UpgradePorts,
  pauses: AgentPauses | undefined,
  unattended: readonly string[],
  onRenewed: (pod: string) => void,
): Promise<void> {
  await repairBroken(place, ports);
  const { replicas } = await observedSet(place, ports);
  for (let ordinal = replicas - 1; ordinal >= 0; ordinal--) {
    ports.signal.throwIfAborted();
    const name = `${place.statefulSet}-${ordinal}`;
    const report = (text: string): void => {
      ports.report({ text: `${name}: ${text}`, done: replicas - 1 - ordinal, total: replicas, unit: 'pods' });
    };
    const { revision } = await observedSet(place, ports);
    const members = await readMembers(place, ports);
    const member = members.find(({ pod }) => pod.name === name);
    if (member?.pod.revision === revision && member.pod.ready && !member.pod.deleting) continue;
    report('waiting until the cluster is healthy');
    await readyToGo(place, { replicas, name, revision, unattended }, ports, report);
    report('restarting');
    await changeSet(place, { partition: ordinal }, ports);
    const renewed = {
      ordinal,
      name,
      revision,
      replicas,
      id: pauses !== undefined ? member?.view?.self.id : undefined,
    };
    await untilRenewed(place, renewed, ports);
    await pauses?.add(name);
    if (member?.pod.revision !== revision) onRenewed(name);
  }
}

/**
 * A pod that never got ready under a newer revision keeps all others waiting, and Kubernetes tries it again ever more
 * seldom. Deleted, it is tried again at once: as it was before, where its turn is taken back.
 */
async function repairBroken(place: Place, ports: UpgradePorts): Promise<void> {
  const { access, signal } = ports;
  const { revisionBefore } = await observedSet(place, ports);
  for (const { pod, view, silence = '' } of await readMembers(place, ports)) {
    const isTried = pod.revision !== revisionBefore && !pod.ready && !pod.deleting;
    if (!isTried || view !== undefined || silence.includes('loading')) continue;
    ports.report({ text: `${pod.name}: recreating it, since it never became ready` });
    await access.delete('v1', 'Pod', place.namespace, pod.name, signal, { uid: pod.uid });
  }
}

async function readyToGo(
  place: Place,
  next: Pick<Renewed, 'replicas' | 'name' | 'revision'> & { readonly unattended: readonly string[] },
  ports: UpgradePorts,
  report: (text: string) => void,
): Promise<void> {
  const { replicas, name, revision } = next;
  const isUnderWay = (member: Member | undefined): boolean => member?.pod.revision === revision;
  const members = await readMembers(place, ports);
  // Its restart has begun already: it is the one that is waited for.
  if (isUnderWay(members.find(({ pod }) => pod.name === name))) return;
  const well = await untilWell(place, replicas, ports);
  const leaving = well.find(({ pod }) => pod.name === name);
  if (leaving === undefined) return;
  const quiet = {
    ...ports,
    report: ({ text }: { readonly text: string }) => {
      report(text);
    },
  };
  await handOver(place, leaving, well, next, quiet);
  await untilWell(place, replicas, ports, name);
}

interface Renewed {
  readonly ordinal: number;
  readonly name: string;
  readonly revision: string;
  readonly replicas: number;
  /** The id under which its node has to come back; undefined where its pod keeps no files. */
  readonly id: string | undefined;
}

async function untilRenewed(place: Place, renewed: Renewed, ports: UpgradePorts): Promise<void> {
  const { namespace, statefulSet } = place;
  const { replicas, name, ordinal, id } = renewed;
  const awaited = { namespace, statefulSet, uid: undefined, pods: replicas };
  await waitForPods(ports, awaited, async (): Promise<Look> => {
    const members = await readMembers(place, ports);
    const own = members.find(({ pod }) => pod.name === name);
    const text = stateOf(own, renewed) ?? illness(members, replicas) ?? (await unwritten(place, name, ports));
    const found = own?.view?.self.id;
    if (text === undefined && id !== undefined && found !== id) throw lostItself(name, id, found);
    const done = replicas - 1 - ordinal;
    const progress = { text: `${name}: ${text ?? 'renewed'}`, done, total: replicas, unit: 'pods' };
    return {
      done: text === undefined,
      progress: text === undefined ? { ...progress, done: done + 1 } : progress,
    };
  });
}

function stateOf(member: Member | undefined, { revision }: Renewed): string | undefined {
  if (member === undefined) return 'its pod is being created';
  if (member.pod.revision !== revision || member.pod.deleting) return 'being stopped';
  if (member.view === undefined) return 'starting';
  const { replication } = member.view;
  return copyText(replication) ?? (replication.linkUp === false ? 'looking for its master' : undefined);
}

/** After a full copy a server writes its files again; until then a crash would find the old ones. */
async function unwritten(
  { namespace, port }: Place,
  name: string,
  { withNode }: UpgradePorts,
): Promise<string | undefined> {
  const info = String(
    await withNode(namespace, name, port, (one) => one.call('INFO', 'persistence')).catch(() => ''),
  );
  return /aof_rewrite_(in_progress|scheduled):1/.test(info) || info === ''
    ? 'writing its append-only file'
    : undefined;
}

function lostItself(name: string, id: string, found: string | undefined): UserError {
  return new UserError(
    'unsafe',
    `${name} came back as another node (${found ?? 'none'} instead of ${id}): its volume does not hold its data. No further pod was restarted.`,
  );
}
