import { copyText } from '../../model/bytes.ts';
import { UserError } from '../../model/errors.ts';
import { waitForPods, type Look } from '../statefulSets/waitForPods.ts';
import { changeSet, observedSet } from '../statefulSets/changeSet.ts';
import { isRewriting } from '../settings/firstFile.ts';
import { handOver } from './handOver.ts';
import { illness, neverStarted, readMembers, untilWell, type Member } from './members.ts';
import type { Place, UpgradePorts } from '../statefulSets/ports.ts';

/** Which pod is renewed, and what is known of it. */
export interface Renewal {
  readonly pod: string;
  /** Whether its slots may go unserved while it restarts. */
  readonly isUnattended: boolean;
  /** Whether it has a volume, so that its node has to come back under the same id. */
  readonly keepsFiles: boolean;
}

/**
 * Renews one pod by lowering the StatefulSet's partition to it: the whole cluster has to be well first, a master hands
 * over, and the pod has to be back with its node in step. Goes on where an earlier restart of the pod was left.
 * Resolves with whether the restart was begun by this call.
 */
export async function renewPod(
  place: Place,
  { pod: name, isUnattended, keepsFiles }: Renewal,
  ports: UpgradePorts,
): Promise<boolean> {
  const report = (text: string): void => {
    ports.report({ text: `${name}: ${text}` });
  };
  const { revision, replicas } = await observedSet(place, ports);
  const ordinal = Number(name.slice(place.statefulSet.length + 1));
  const member = (await readMembers(place, ports)).find(({ pod }) => pod.name === name);
  const isUnderWay = member?.pod.revision === revision;
  if (isUnderWay) await tryAgain(place, member, ports);
  else {
    report('waiting until the cluster is healthy');
    await readyToGo(place, { replicas, name, revision, isUnattended }, ports, report);
  }
  report('restarting');
  await changeSet(place, { partition: ordinal }, ports);
  const id = keepsFiles ? member?.view?.self.id : undefined;
  await untilRenewed(place, { name, revision, replicas, id }, ports);
  return !isUnderWay;
}

/** A pod whose restart was begun and that never became ready is tried by Kubernetes ever more seldom; deleted, at once. */
async function tryAgain(
  { namespace }: Place,
  member: Member,
  { access, signal, report }: UpgradePorts,
): Promise<void> {
  if (!neverStarted(member)) return;
  const { pod } = member;
  report({ text: `${pod.name}: recreating it, since it never became ready` });
  await access.delete('v1', 'Pod', namespace, pod.name, signal, { uid: pod.uid });
}

async function readyToGo(
  place: Place,
  next: Pick<Renewed, 'replicas' | 'name' | 'revision'> & Pick<Renewal, 'isUnattended'>,
  ports: UpgradePorts,
  report: (text: string) => void,
): Promise<void> {
  const { replicas, name } = next;
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
  readonly name: string;
  readonly revision: string;
  readonly replicas: number;
  /** The id under which its node has to come back; undefined where its pod keeps no files. */
  readonly id: string | undefined;
}

async function untilRenewed(place: Place, renewed: Renewed, ports: UpgradePorts): Promise<void> {
  const { namespace, statefulSet } = place;
  const { replicas, name, id } = renewed;
  const awaited = { namespace, statefulSet, uid: undefined, pods: replicas };
  await waitForPods(ports, awaited, async (): Promise<Look> => {
    const members = await readMembers(place, ports);
    const own = members.find(({ pod }) => pod.name === name);
    const text = stateOf(own, renewed) ?? illness(members, replicas) ?? (await unwritten(place, name, ports));
    const found = own?.view?.self.id;
    if (text === undefined && id !== undefined && found !== id) throw lostItself(name, id, found);
    return { done: text === undefined, progress: { text: `${name}: ${text ?? 'renewed'}` } };
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
  return isRewriting(info) || info === '' ? 'writing its append-only file' : undefined;
}

function lostItself(name: string, id: string, found: string | undefined): UserError {
  return new UserError(
    'unsafe',
    `${name} came back as another node (${found ?? 'none'} instead of ${id}): its volume does not hold its data. No further pod was restarted.`,
  );
}
