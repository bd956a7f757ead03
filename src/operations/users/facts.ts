import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { ClusterDialer } from '../../redis/nodeConnection.ts';
import { answers, nameOf } from '../servers/nodes.ts';
import { requireRights } from '../statefulSets/rights.ts';
import { readSet } from '../statefulSets/facts.ts';
import { withConnection } from '../servers/withConnection.ts';
import { operatorUserKey } from './kept.ts';
import { grantsNoMore, keepsUsers, readUser, rulesFor } from './onServer.ts';

/** What servers and Kubernetes say before an operator user is created; nodes by their ids. */
export interface OperatorUserFacts {
  /** Nodes that have a user of that name which may do no more than this product needs. */
  readonly existing: readonly string[];
  /** Nodes that have a user of that name which may do more. */
  readonly foreign: readonly string[];
  /** Nodes whose default user needs no password. */
  readonly withoutPassword: readonly string[];
  /** The Secret from which pods of the bundled manifests take the user when they start. */
  readonly kept?: string;
  /** Why servers that start later do not have the user, as a sentence; absent where they do. */
  readonly notKept?: string;
}

/** Asks all servers that answer, and what their pods start with. Changes nothing. */
export async function readOperatorUserFacts(
  snapshot: ClusterSnapshot,
  user: string,
  dialer: ClusterDialer,
  access: KubernetesAccess | undefined,
): Promise<OperatorUserFacts> {
  const nodes = snapshot.nodes.filter(answers);
  const found = await Promise.all(
    nodes.map(({ id }) =>
      withConnection({ dialer }, id, async (connection) => {
        const where = nameOf(snapshot, id);
        const rules = await rulesFor(connection, where);
        const known = await readUser(connection, where, user);
        const usual = await readUser(connection, where, 'default');
        return {
          id,
          exists: known !== undefined,
          isForeign: known !== undefined && !grantsNoMore(known, rules),
          isOpen: usual?.rules.has('nopass') === true && usual.rules.has('on'),
          isKept: await keepsUsers(connection),
        };
      }),
    ),
  );
  const ids = (isSo: (one: (typeof found)[number]) => boolean): readonly string[] =>
    found.filter(isSo).map(({ id }) => id);
  return {
    existing: ids(({ exists }) => exists),
    foreign: ids(({ isForeign }) => isForeign),
    withoutPassword: ids(({ isOpen }) => isOpen),
    ...(found.every(({ isKept }) => isKept) ? {} : await keeping(snapshot, access)),
  };
}

async function keeping(
  { ref, workloads }: ClusterSnapshot,
  access: KubernetesAccess | undefined,
): Promise<Pick<OperatorUserFacts, 'kept' | 'notKept'>> {
  const lost = (why: string): Pick<OperatorUserFacts, 'notKept'> => ({
    notKept: `A server that restarts no longer has the user: ${why}. Create it again then.`,
  });
  if (access === undefined || !isKubernetesRef(ref)) return lost('it has no aclfile');
  const [workload] = workloads;
  if (workload?.bundled !== true)
    return lost('it has no aclfile, and its pods run other manifests than the bundled ones');
  const { owner } = await readSet(access, ref.namespace, workload.name);
  if (owner !== undefined) return lost(`${owner.name} decides what its pods start with`);
  const candidates = await access.discover(ref.namespace);
  const candidate = candidates.find((one) => one.workload.name === workload.name);
  if (candidate?.passwordFrom === undefined || candidate.passwordIsMounted !== true)
    return lost('its pods mount no Secret');
  if (!(await readsUsers(access, ref.namespace, workload.name)))
    return lost('its pods run older manifests, whose scripts do not read users. Apply the current ones');
  await requireRights(access, ref.namespace, [
    ['get', 'secrets', ''],
    ['patch', 'secrets', ''],
  ]);
  return { kept: candidate.passwordFrom.secret };
}

interface SetObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes?: readonly { readonly configMap?: { readonly name?: string } }[];
      };
    };
  };
}

/** Whether the scripts with which the workload's pods start look for users in the Secret. */
async function readsUsers(access: KubernetesAccess, namespace: string, workload: string): Promise<boolean> {
  const found = await access.get('apps/v1', 'StatefulSet', namespace, workload);
  const { volumes = [] } = (found as unknown as SetObject | undefined)?.spec.template.spec ?? {};
  const names = volumes.flatMap(({ configMap }) => configMap?.name ?? []);
  const maps = await Promise.all(names.map((name) => access.readTexts(namespace, 'configmaps', name)));
  return maps.some((texts) => texts?.get('config.sh')?.includes(operatorUserKey) === true);
}
