import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../src/model/errors.ts';
import { startAdapterFixture, until, type AdapterFixture } from '../support/adapterFixture.ts';

let fixture: AdapterFixture;
let access: KubernetesAccess;
let namespace: string;

before(async () => {
  fixture = await startAdapterFixture();
  ({ access, namespace } = fixture);
});

after(() => fixture.stop());

test('what a restricted user may not do is refused with verb, resource and namespace', async () => {
  const subject = { kind: 'ServiceAccount', name: 'viewer', namespace };
  await access.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'viewer', namespace } });
  await access.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'viewer', namespace },
    rules: [
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
      { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['list', 'watch'] },
    ],
  });
  await access.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'viewer', namespace },
    subjects: [subject],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'viewer' },
  });
  const token = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/service-account-token' };
  const annotations = { 'kubernetes.io/service-account.name': 'viewer' };
  await access.create({ ...token, metadata: { name: 'viewer-token', namespace, annotations } });
  const issued = await until(() => access.readSecret(namespace, { secret: 'viewer-token', key: 'token' }));
  const viewer = fixture.accessAs({ token: issued });
  try {
    assert.ok((await viewer.discover(namespace)).length > 0);
    assert.equal(await viewer.may('list', 'pods', '', namespace), true);
    assert.equal(await viewer.may('create', 'pods/portforward', '', namespace), false);
    await fixture.rejected(viewer.discover('kube-system'), 'forbidden', /list .* namespace kube-system/);
    await fixture.rejected(viewer.listNamespaces(), 'forbidden', /list namespaces/);
    await fixture.rejected(
      viewer.forward(namespace, 'server', 6379),
      'forbidden',
      /create pods\/portforward "server"/,
    );
    await fixture.rejected(
      viewer.readSecret(namespace, { secret: 'auth', key: 'x' }),
      'forbidden',
      /get secrets "auth"/,
    );
    const problem = await new Promise<Error | undefined>((resolve) => {
      const end = viewer.watch(
        'kube-system',
        () => undefined,
        (found) => {
          end();
          resolve(found);
        },
      );
    });
    assert.ok(problem instanceof UserError);
    assert.equal(problem.reason, 'forbidden');
  } finally {
    viewer.close();
  }
});

test('a token that is not accepted and a server that is not there say what to do', async () => {
  const stale = fixture.accessAs({ token: 'not-a-token' });
  await fixture.rejected(stale.discover(namespace), 'sign-in-needed', /401.*Sign in again/);
  await fixture.rejected(stale.forward(namespace, 'server', 6379), 'sign-in-needed', /Sign in again/);
  stale.close();
  const gone = fixture.accessAs({ token: 'x' }, 'https://127.0.0.1:1');
  await fixture.rejected(gone.discover(namespace), 'unreachable', /connection refused/);
  await fixture.rejected(gone.forward(namespace, 'server', 6379), 'unreachable', /connection refused/);
  gone.close();
});
