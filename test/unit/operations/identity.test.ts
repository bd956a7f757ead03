import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesAccess, KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import { confirmPod } from '../../../src/operations/statefulSets/confirmPod.ts';
import { deleteVolumes } from '../../../src/operations/steps/deleteVolumes.ts';
import type { StepPorts } from '../../../src/operations/steps/ports.ts';
import { setConfig } from '../../../src/operations/steps/setConfig.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { snapshotOf, source } from '../sample.ts';

const pod = { name: 'cart-0', namespace: 'ns', uid: 'a', ip: '10.0.0.1' };

test('a pod is the one that was read while its uid and its address are the same', async () => {
  const answering = (object: object | undefined) =>
    confirmPod({ get: () => Promise.resolve(object as KubernetesObject | undefined) }, pod);
  await answering({ metadata: { uid: 'a' }, status: { podIP: '10.0.0.1' } });
  await assert.rejects(answering({ metadata: { uid: 'b' }, status: { podIP: '10.0.0.1' } }), /was replaced/);
  await assert.rejects(answering({ metadata: { uid: 'a' }, status: { podIP: '10.0.0.2' } }), /was replaced/);
  await assert.rejects(answering(undefined), /Pod cart-0 is gone/);
  const refusing = (reason: UserError['reason']) =>
    confirmPod({ get: () => Promise.reject(new UserError(reason, 'no')) }, pod);
  await refusing('forbidden');
  await assert.rejects(refusing('unreachable'));
});

test('a setting that another node has been given by mistake is taken back, and no other node gets it', async () => {
  const said: string[] = [];
  const undo: (() => Promise<unknown>)[] = [];
  let second = 'r0';
  const ports = {
    snapshot: snapshotOf([source('m0'), source('r0')]),
    dialer: {
      credentials: {},
      dial: (id: string) => {
        if (id !== 'm0' && id !== second)
          return Promise.reject(new UserError('unsafe', `At pod cart-1 answers node ${second} now.`));
        return Promise.resolve({
          call: (...words: readonly unknown[]) => {
            if (words[1] === 'SET') said.push(`${id} ${words.slice(2).join(' ')}`);
            // After the first server took the setting, the other pod's server is another node.
            if (words[1] === 'SET') second = 'another';
            return Promise.resolve(words[1] === 'GET' ? [words[2], '10'] : 'OK');
          },
          close: () => undefined,
        } as unknown as NodeConnection);
      },
    },
    signal: new AbortController().signal,
    report: () => undefined,
    takenBackBy: (one: () => Promise<unknown>) => undo.push(one),
  } as unknown as StepPorts;
  const step = { kind: 'setConfig', text: '', nodes: ['m0', 'r0'], name: 'hz', value: '20' } as const;
  await assert.rejects(setConfig.act(step, ports), /At pod cart-1 answers node another now/);
  for (const one of undo) await one();
  assert.deepEqual(said, ['m0 hz 20', 'm0 hz 10']);
});

test('only the volumes that were planned are deleted, not those that have their names by then', async () => {
  const volumes = new Map([
    ['data-cart-6', 'planned'],
    ['data-cart-7', 'made since'],
  ]);
  const deleted: unknown[] = [];
  const access = {
    get: (_version: string, _kind: string, _namespace: string, name: string) => {
      const uid = volumes.get(name);
      return Promise.resolve(uid === undefined ? undefined : { metadata: { name, uid } });
    },
    delete: (...[, , , name, , how]: readonly unknown[]) => {
      deleted.push([name, how]);
      volumes.delete(String(name));
      return Promise.resolve(true);
    },
  } as unknown as KubernetesAccess;
  const ports = {
    kubernetes: { access, namespace: 'ns' },
    signal: new AbortController().signal,
    ...{ report: () => undefined, tally: () => undefined },
  } as unknown as StepPorts;
  const claims = ['data-cart-6', 'data-cart-7'];
  const step = { kind: 'deleteVolumes', text: '', claims, uids: ['planned', 'planned too'] } as const;
  assert.equal(await deleteVolumes.isDone(step, undefined as never, ports), false);
  await deleteVolumes.act(step, ports);
  assert.deepEqual(deleted, [['data-cart-6', { uid: 'planned' }]]);
  assert.equal(await deleteVolumes.isDone(step, undefined as never, ports), true);
});
