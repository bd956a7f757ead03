import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as vscode from 'vscode';
import { passwordsIn } from '../../../src/ui/passwords.ts';

function storage() {
  const entries = new Map<string, string>();
  const heard: ((change: { readonly key: string }) => void)[] = [];
  let reads = 0;
  const secrets = {
    get: (key: string) => {
      reads++;
      return Promise.resolve(entries.get(key));
    },
    store: (key: string, value: string) => Promise.resolve(void entries.set(key, value)),
    delete: (key: string) => Promise.resolve(void entries.delete(key)),
    onDidChange: (listener: (change: { readonly key: string }) => void) => heard.push(listener),
  } as unknown as vscode.SecretStorage;
  const change = (key: string, value: string): void => {
    entries.set(key, value);
    for (const listener of heard) listener({ key });
  };
  return { passwords: passwordsIn(secrets), entries, change, reads: () => reads };
}

const address = { addresses: ['10.0.0.1:6379', '10.0.0.2:6379'] };
const inKubernetes = { context: 'test', namespace: 'shop', name: 'cart' };

test('each cluster has its own entry, also those that were stored for addresses before', async () => {
  const { passwords, entries } = storage();
  entries.set('credentials/address/10.0.0.1:6379,10.0.0.2:6379', '{"password":"old"}');
  assert.deepEqual(await passwords.stored(address), { password: 'old' });
  assert.equal(passwords.has(address), true);
  await passwords.store(inKubernetes, { username: 'ops', password: 'x', tls: {} });
  assert.deepEqual(await passwords.stored(inKubernetes), { username: 'ops', password: 'x', tls: {} });
  await passwords.forget(address);
  assert.deepEqual([await passwords.stored(address), passwords.has(address)], [undefined, false]);
  assert.equal(passwords.has(inKubernetes), true);
  assert.deepEqual([...entries.keys()], ['credentials/kubernetes/test/shop/cart']);
});

test('an entry is read once, and again after another window has changed it', async () => {
  const { passwords, change, reads } = storage();
  for (let time = 0; time < 3; time++) assert.equal(await passwords.stored(inKubernetes), undefined);
  assert.equal(reads(), 1);
  change('credentials/kubernetes/test/shop/cart', '{"password":"y"}');
  assert.deepEqual(await passwords.stored(inKubernetes), { password: 'y' });
});
