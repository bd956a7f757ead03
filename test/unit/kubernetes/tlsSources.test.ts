import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Container, PodSpec } from '../../../src/kubernetes/apiObjects.ts';
import type { TextSource, TlsSources } from '../../../src/kubernetes/signInSources.ts';
import { candidateOf, value, written, type Env } from './specs.ts';

const tls = (parts: Partial<Container>, spec?: Partial<PodSpec>): unknown =>
  described(candidateOf(parts, spec).signIn?.tls);
const described = (sources: TlsSources | undefined): unknown =>
  sources === undefined
    ? undefined
    : Object.fromEntries(
        Object.entries(sources).map(([part, source]: [string, TextSource]) => [part, written(source)]),
      );

test('TLS is found with its authority and certificate, in every way that charts and operators write it', () => {
  const at = (mountPath: string): Partial<Container> => ({ volumeMounts: [{ name: 'certs', mountPath }] });
  const spec = { volumes: [{ name: 'certs', secret: { secretName: 'crt' } }] };
  const all = { ca: 'secret crt/ca.crt', cert: 'secret crt/tls.crt', key: 'secret crt/tls.key' };
  const bitnami = (...more: Env): Partial<Container> => ({
    ...at('/opt/bitnami/redis/certs'),
    env: [
      value('REDIS_TLS_ENABLED', 'yes'),
      value('REDIS_TLS_CERT_FILE', '/opt/bitnami/redis/certs/tls.crt'),
      value('REDIS_TLS_KEY_FILE', '/opt/bitnami/redis/certs/tls.key'),
      value('REDIS_TLS_CA_FILE', '/opt/bitnami/redis/certs/ca.crt'),
      ...more,
    ],
  });
  const options = ['--tls-port', '6379', '--port', '0', '--tls-ca-cert-file', '/tls/ca.crt'];
  const cases: readonly (readonly [string, Partial<Container>, unknown])[] = [
    ['bitnami', bitnami(), all],
    ['no client certificates', bitnami(value('REDIS_TLS_AUTH_CLIENTS', 'no')), { ca: all.ca }],
    ['off', { ...at('/certs'), env: [value('REDIS_TLS_ENABLED', 'no')] }, undefined],
    [
      'operator, without an authority',
      { ...at('/tls'), env: [value('TLS_MODE', 'true'), value('REDIS_TLS_CERT', '/tls/tls.crt')] },
      all,
    ],
    [
      'operator, other keys',
      {
        ...at('/tls'),
        env: [
          value('TLS_MODE', 'true'),
          value('REDIS_TLS_CA_CERT', '/tls/my-ca'),
          value('REDIS_TLS_CERT', '/tls/my-crt'),
          value('REDIS_TLS_CERT_KEY', '/tls/my-key'),
        ],
      },
      { ca: 'secret crt/my-ca', cert: 'secret crt/my-crt', key: 'secret crt/my-key' },
    ],
    [
      'valkey',
      { ...at('/tls'), env: [value('VALKEY_TLS_ENABLED', 'true'), value('VALKEY_TLS_CA_FILE', '/tls/root')] },
      { ...all, ca: 'secret crt/root' },
    ],
    ['arguments', { ...at('/tls'), args: options }, all],
    [
      'arguments, no client certificates',
      { ...at('/tls'), args: [...options, '--tls-auth-clients', 'no'] },
      { ca: all.ca },
    ],
    [
      'arguments, plain port beside it',
      { ...at('/tls'), args: ['--tls-port', '6380', '--port', '6379'] },
      undefined,
    ],
    ['no word of it', at('/tls'), undefined],
    ['without certificates', { env: [value('TLS_MODE', 'true')] }, {}],
  ];
  for (const [what, parts, expected] of cases) assert.deepEqual(tls(parts, spec), expected, what);
  const usual = candidateOf(at('/tls'), spec).signIn?.ifRefused.tls;
  assert.deepEqual(described(usual), all, 'the usual place, for a server that turns out to speak TLS');
});
