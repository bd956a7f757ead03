import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import type { Container, Pod } from '../../../src/kubernetes/apiObjects.ts';
import { candidates } from '../../../src/kubernetes/discover.ts';
import type { KubernetesAccess } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { unreadGroups } from '../../../src/model/unread.ts';

/** Three pods of one owner; `running` says whether their servers' containers are, whatever the pods' phase. */
function podsOf(name: string, phase: string, running: boolean, parts: Partial<Container>): readonly Pod[] {
  return [0, 1, 2].map((ordinal) => ({
    metadata: {
      ...{ name: `${name}-${ordinal}`, namespace: 'ns', uid: `${name}-${ordinal}` },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: name, controller: true }],
    },
    spec: { containers: [{ name: 'server', image: 'redis:7', ...parts }] },
    status: {
      ...{ phase, podIP: `10.0.0.${ordinal + 1}` },
      containerStatuses: [
        {
          ...{ name: 'server', restartCount: 0 },
          state: running ? { running: {} } : { waiting: { reason: 'CrashLoopBackOff' } },
        },
      ],
    },
  }));
}

/** What is shown of three pods whose servers answer so as the window opens; undefined where there is no row. */
async function shown(
  context: TestContext,
  pods: readonly Pod[],
  answer: UserError,
): Promise<ClusterSnapshot | undefined> {
  const access: Partial<KubernetesAccess> = {
    ...{ context: 'c', defaultNamespace: 'ns', watch: () => () => undefined, close: () => undefined },
    discover: () => Promise.resolve(candidates(pods, [])),
    forward: () => Promise.resolve({ path: '/socket', close: () => undefined }),
    readTexts: (_namespace, kind, name) =>
      Promise.reject(new UserError('forbidden', `Not allowed to get ${kind} "${name}" in context c`)),
    get: () => Promise.resolve(undefined),
    list: () => Promise.resolve([]),
    may: () => Promise.resolve(true),
  };
  const redis: RedisReading = {
    connectNode: () => Promise.reject(answer),
    connectPatiently: () => Promise.reject(answer),
    readNodeView: () => Promise.reject(answer),
  };
  const inventory = new Inventory({
    redis: () => Promise.resolve(redis),
    addressSource: (ref) => ({ ref, name: '', sandbox: false, credentials: () => Promise.resolve({}) }),
  });
  context.after(() => {
    inventory.dispose();
  });
  const open = (): Promise<KubernetesAccess> => Promise.resolve(access as KubernetesAccess);
  inventory.setContexts([{ name: 'c', namespaces: ['ns'], fingerprint: '', open }]);
  return inventory.look({ context: 'c', namespace: 'ns', name: 'cache' }).catch((error: unknown) => {
    assert.ok(error instanceof UserError && error.reason === 'not-found', String(error));
    return undefined;
  });
}

const noAuth = new UserError('sign-in-needed', 'Redis at pod x requires a password.');
const noCluster = new UserError('not-clustered', 'This server does not run in cluster mode.');
const fromSecret = {
  env: [{ name: 'REDIS_PASSWORD', valueFrom: { secretKeyRef: { name: 'auth', key: 'pw' } } }],
};

const cases = [
  ['servers that demand a password', podsOf('cache', 'Running', true, {}), noAuth, 'password'],
  ['servers whose Secret may not be read', podsOf('cache', 'Running', true, fromSecret), noAuth, 'forbidden'],
  ['servers that are all down', podsOf('cache', 'Running', false, {}), noAuth, 'pod'],
  ['servers in pods that are still Pending', podsOf('cache', 'Pending', true, {}), noAuth, 'password'],
  ['servers that are in no cluster', podsOf('cache', 'Running', true, {}), noCluster, undefined],
] as const;

for (const [what, pods, answer, reason] of cases) {
  test(`${what} are ${reason === undefined ? 'no row' : `a row that says so: ${reason}`}`, async (context) => {
    const found = await shown(context, pods, answer);
    assert.deepEqual(found && unreadGroups(found).map((group) => group.reason), reason && [reason]);
    if (reason === 'forbidden')
      assert.match(found?.unread[0]?.failure.message ?? '', /^Not allowed to get secrets "auth"/);
  });
}
