import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signInText } from '../../../src/inventory/signInText.ts';
import type { Candidate } from '../../../src/kubernetes/kubernetesAccess.ts';
import type { SignInSources } from '../../../src/kubernetes/signInSources.ts';

const text = (place: string, written: string) => ({ place, text: () => written });
const signIn = (parts: Partial<SignInSources>): Pick<Candidate, 'signIn'> => ({
  signIn: {
    passwords: [],
    tlsFiles: {},
    ifRefused: { passwords: [], files: [] },
    fileAt: () => undefined,
    ...parts,
  },
});

test('where a sign-in was found is said, and no password is', () => {
  const password = { secret: 'shop-redis', key: 'redis-password' };
  const ca = { secret: 'crt', key: 'ca.crt' };
  const cert = { secret: 'crt', key: 'tls.crt' };
  const cases: readonly (readonly [Pick<Candidate, 'signIn'>, string | undefined])[] = [
    [{}, undefined],
    [signIn({}), undefined],
    [signIn({ passwords: [{ password }] }), 'password from Secret shop-redis/redis-password'],
    [
      signIn({ passwords: [{ password, username: text('variable VALKEY_USER', '_operator') }] }),
      'user _operator, password from Secret shop-redis/redis-password',
    ],
    [
      signIn({ passwords: [{ password, username: { secret: 'shop-redis', key: 'user' } }] }),
      'password from Secret shop-redis/redis-password',
    ],
    [
      signIn({ passwords: [{ password: text('variable REDIS_PASSWORD', 'hidden') }] }),
      'password from variable REDIS_PASSWORD of the pod',
    ],
    [
      signIn({ passwords: [{ password: text('argument --requirepass', 'hidden') }] }),
      'password from argument --requirepass of the pod',
    ],
    [
      signIn({ passwords: [{ password: { configMap: 'settings', key: 'pw' } }], tls: { ca, cert } }),
      'password from ConfigMap settings/pw, certificate authority from Secret crt/ca.crt, client certificate from Secret crt/tls.crt',
    ],
    [signIn({ tls: {} }), 'TLS'],
    [
      signIn({ ifRefused: { passwords: [{ password }], files: [] } }),
      'password from Secret shop-redis/redis-password',
    ],
  ];
  for (const [candidate, expected] of cases) assert.equal(signInText(candidate), expected);
});
