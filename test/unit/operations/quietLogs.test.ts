import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { NodeView } from '../../../src/model/nodeView.ts';
import type { Member } from '../../../src/operations/rollout/members.ts';
import { quietLogs } from '../../../src/operations/rollout/quietLogs.ts';
import { ids, view } from '../sample.ts';

type Versions = readonly (readonly [NodeView['product'], string])[];

const place = { namespace: 'team', statefulSet: 'shop', port: 6379 };

/** Pods whose servers remember their loglevel; `deaf` ones refuse to be set. */
function servers(versions: Versions, deaf: readonly string[] = []) {
  const levels = new Map(
    versions.map((_, ordinal) => [`shop-${ordinal}`, ordinal === 1 ? 'verbose' : 'notice']),
  );
  const members = versions.map(([product, version], ordinal): Member => {
    const pod = {
      ordinal,
      name: `shop-${ordinal}`,
      uid: 'u',
      revision: 'a',
      ready: true,
      deleting: false,
      starting: false,
    };
    return { pod, view: view(ids[ordinal] ?? '', { product, version }) };
  });
  const call = (name: string, what: string, value = ''): Promise<unknown> => {
    if (deaf.includes(name)) return Promise.reject(new Error("ERR unknown command 'CONFIG'"));
    if (what === 'SET') levels.set(name, value);
    return Promise.resolve(what === 'SET' ? 'OK' : ['loglevel', levels.get(name)]);
  };
  const withNode = <T>(_: string, name: string, __: number, use: (one: never) => Promise<T>): Promise<T> => {
    const one = {
      call: (_config: string, what: string, __loglevel: string, value?: string) => call(name, what, value),
    };
    return use(one as never);
  };
  return { levels: () => [...levels.values()], members, ports: { withNode } };
}

test('while Redis is among them, servers of Valkey 8 log warnings only, and afterwards as before', async () => {
  const { levels, members, ports } = servers([
    ['redis', '7.0.15'],
    ['valkey', '8.1.1'],
    ['valkey', '8.0.2'],
    ['valkey', '9.1.2'],
  ]);
  const logAgain = await quietLogs(place, members, ports);
  assert.deepEqual(levels(), ['notice', 'warning', 'warning', 'notice']);
  await logAgain();
  assert.deepEqual(levels(), ['notice', 'verbose', 'notice', 'notice']);
});

test('among themselves they know their shards, and log as ever', async () => {
  const { levels, members, ports } = servers([
    ['valkey', '8.1.1'],
    ['valkey', '9.1.2'],
  ]);
  const logAgain = await quietLogs(place, members, ports);
  assert.deepEqual(levels(), ['notice', 'verbose']);
  await logAgain();
  assert.deepEqual(levels(), ['notice', 'verbose']);
});

test('one that does not let itself be set keeps nobody from handing over', async () => {
  const { levels, members, ports } = servers(
    [
      ['redis', '7.0.15'],
      ['valkey', '8.1.1'],
      ['valkey', '8.1.1'],
    ],
    ['shop-1'],
  );
  const logAgain = await quietLogs(place, members, ports);
  assert.deepEqual(levels(), ['notice', 'verbose', 'warning']);
  await logAgain();
  assert.deepEqual(levels(), ['notice', 'verbose', 'notice']);
});
