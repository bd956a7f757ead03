import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordText } from '../../../src/inventory/signInText.ts';
import type { PasswordSource } from '../../../src/kubernetes/signInSources.ts';

const text = (place: string, written: string) => ({ place, text: () => written });

test('where a sign-in was found is said, and no password is', () => {
  const password = { secret: 'shop-redis', key: 'redis-password' };
  const cases: readonly (readonly [PasswordSource, string])[] = [
    [{ password }, 'password from Secret shop-redis/redis-password'],
    [
      { password, username: text('variable VALKEY_USER', '_operator') },
      'user _operator, password from Secret shop-redis/redis-password',
    ],
    [
      { password, username: { secret: 'shop-redis', key: 'user' } },
      'password from Secret shop-redis/redis-password',
    ],
    [
      { password: text('variable REDIS_PASSWORD', 'hidden') },
      'password from variable REDIS_PASSWORD of the pod',
    ],
    [
      { password: text('argument --requirepass', 'hidden') },
      'password from argument --requirepass of the pod',
    ],
    [{ password: { configMap: 'settings', key: 'pw' } }, 'password from ConfigMap settings/pw'],
  ];
  for (const [source, expected] of cases) assert.equal(passwordText(source), expected);
});
