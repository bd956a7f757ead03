import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { prepareDeploy } from '../../src/operations/deploy.ts';
import type { DeployAnswers } from '../../src/operations/manifests/answers.ts';
import { podsOf } from '../../src/operations/statefulSets/waitForPods.ts';
import { makeAuthority } from '../support/authority.ts';
import { clusterPorts } from '../support/clusterPorts.ts';
import { manifestFiles } from '../support/manifestFiles.ts';
import { operationsFixture, refused, type OperationsFixture } from '../support/operationsFixture.ts';
import { deployOver } from '../support/planPorts.ts';

const files = manifestFiles();
let fixture: OperationsFixture;

before(async () => {
  fixture = await operationsFixture('begins', 'shop');
});

after(() => fixture.close());

function prepare(changed: Partial<DeployAnswers>): ReturnType<typeof prepareDeploy> {
  const { namespace, access } = fixture;
  const answers = { namespace, name: 'shop', masters: 3, replicasPerMaster: 1, auth: 'generate' as const };
  return prepareDeploy(access, files, { ...answers, ...changed });
}

/** Everything in the namespace that a deployment makes, by its name. */
async function made(): Promise<string> {
  const kinds =
    'statefulsets,services,configmaps,secrets,serviceaccounts,networkpolicies,poddisruptionbudgets,persistentvolumeclaims,pods';
  const names = (await fixture.kubectl(['get', kinds, '-o', 'name'])).trim().split('\n');
  return names.filter((name) => name.includes('shop')).join(' ');
}

test('what cannot be deployed is refused with what to change, and nothing is made', async () => {
  await fixture.kubectl(['create', 'secret', 'generic', 'other', '--from-literal=user=me']);
  const key = (secret: string): Partial<DeployAnswers> => ({ auth: { secret, key: 'password' } });
  const cases: readonly (readonly [Partial<DeployAnswers>, string, RegExp])[] = [
    [{ masters: 2 }, 'invalid-input', /at least 3 masters/],
    [{ name: 'Shop_1' }, 'invalid-input', /lower-case letters, digits and "-"/],
    [{ storageClass: 'nowhere' }, 'not-found', /no StorageClass "nowhere"\. It has: \w+/],
    [key('nothing'), 'not-found', /Secret "nothing".*does not exist.*create secret generic nothing/],
    [key('other'), 'not-found', /Secret "other".*has no key password/],
    [{ overlays: ['tls'] }, 'not-found', /Secret "shop-tls".*does not exist.*ca\.crt.*tls\.crt.*tls\.key/],
    [{ overlays: ['metrics', 'servicemonitor'] }, 'not-found', /kind ServiceMonitor.*Prometheus operator/],
    [
      { overlays: ['production'], masters: 300 },
      'unsafe',
      /600 pods need 600 Kubernetes nodes.*has \d+\. Add nodes/,
    ],
  ];
  for (const [changed, reason, message] of cases) await refused(prepare(changed), reason, message);
  assert.equal(await made(), '');
});

test('a StatefulSet that is not ours is refused and left as it is', async () => {
  const container = { name: 'web', image: fixture.kubernetes.images.busybox, command: ['sleep', '600'] };
  const selector = { matchLabels: { app: 'web' } };
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } };
  const foreign = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'shop', namespace: fixture.namespace },
    spec: { replicas: 0, serviceName: 'web', selector, template },
  };
  await fixture.access.create(foreign);
  await refused(prepare({}), 'already-exists', /"shop" is taken.*StatefulSet shop.*Nothing was changed/);
  assert.equal(await made(), 'statefulset.apps/shop');
  await fixture.access.delete('apps/v1', 'StatefulSet', fixture.namespace, 'shop');
});

test('production puts each pod on a worker of its own', async () => {
  const plan = await prepare({
    overlays: ['production'],
    replicasPerMaster: 0,
    storage: '1Gi',
    memory: '128Mi',
  });
  await deployOver(fixture.ports, plan);
  const { namespace, ports } = fixture;
  const pods = await podsOf(fixture.access, { namespace, statefulSet: 'shop' }, ports.signal);
  assert.equal(new Set(pods.map(({ worker }) => worker)).size, 3);
});

test('with TLS the servers are asked by TLS, and trusted by the authority of their Secret', async (t) => {
  const { namespace, access, kubectl } = fixture;
  const authority = await makeAuthority('operations');
  t.after(() => authority.dispose());
  const stringData = await authority.issue([`*.safe.${namespace}.svc`, 'localhost']);
  const metadata = { name: 'safe-tls', namespace };
  await access.create({ apiVersion: 'v1', kind: 'Secret', metadata, stringData });
  const ports = clusterPorts(access, 'safe', fixture.ports.signal);
  t.after(() => {
    ports.close();
  });
  const plan = await prepare({ name: 'safe', overlays: ['dev', 'tls'], replicasPerMaster: 0 });
  await deployOver(ports, plan);
  const plain = ['exec', 'safe-0', '-c', 'redis', '--', 'redis-cli', 'ping'];
  await assert.rejects(kubectl(plain), 'a client without TLS gets no answer');
  const [found] = (await access.discover(namespace)).filter(({ workload }) => workload.name === 'safe');
  assert.equal(found?.tlsFrom, 'safe-tls');
});
