import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, isSound } from '../../../src/checks/check.ts';
import { storageOf } from '../../../src/kubernetes/storage.ts';
import { ids, snapshotOf, source, view } from '../sample.ts';

const mounted = [{ name: 'data', mountPath: '/data' }];
const claim = { name: 'data', persistentVolumeClaim: { claimName: 'data-cart-0' } };

test('where data can be is what the server’s own container mounts', () => {
  const container = { name: 'redis', volumeMounts: mounted };
  assert.equal(storageOf({ containers: [], volumes: [claim] }, container), 'volume');
  assert.equal(
    storageOf({ containers: [], volumes: [{ name: 'data', emptyDir: {} }] }, container),
    'emptyDir',
  );
  assert.equal(storageOf({ containers: [], volumes: [{ name: 'data', configMap: {} }] }, container), 'none');
  assert.equal(storageOf({ containers: [], volumes: [claim] }, { name: 'redis' }), 'none', 'mounted nowhere');
  const elsewhere = { ...container, args: ['redis-server', '--dir', '/tmp'] };
  assert.equal(storageOf({ containers: [], volumes: [claim] }, elsewhere), 'none', 'beside the data folder');
  const inside = { ...container, args: ['redis-server', '--dir', '/data/node'] };
  assert.equal(storageOf({ containers: [], volumes: [claim] }, inside), 'volume');
});

test('nodes whose data outlives no pod are found before the loss, and the cluster is sound all the same', () => {
  const found = (storage: 'volume' | 'emptyDir' | 'none'): readonly (readonly string[])[] => {
    const sources = ids.map((id) => {
      const { pod, ...rest } = source(id);
      return pod === undefined ? rest : { ...rest, pod: { ...pod, storage } };
    });
    const findings = check(snapshotOf(sources));
    assert.ok(isSound(findings));
    return findings.map(({ rule, severity, message }) => [rule, severity, message]);
  };
  assert.deepEqual(found('volume'), []);
  assert.deepEqual(found('none'), [
    ['no-volume', 'warning', '6 nodes keep no data on a volume: keys are lost when all pods restart.'],
  ]);
  assert.deepEqual(found('emptyDir'), [
    ['no-volume', 'info', '6 nodes keep their data in an emptyDir: it is deleted with the pod.'],
  ]);
});

test('masters that never saved anything are found after an hour', () => {
  const persistence = { ...view('m0').persistence, neverSaved: true };
  const rules = (uptimeSeconds: number): readonly string[] =>
    check(snapshotOf(ids.map((id) => source(id, { persistence, uptimeSeconds })))).map(({ rule }) => rule);
  assert.deepEqual(rules(3_599), []);
  assert.deepEqual(rules(3_600), ['never-saved']);
});
