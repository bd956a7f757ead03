import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  readConfiguration,
  type FilePassword,
  type TlsPaths,
} from '../../../src/inventory/serverConfiguration.ts';

const required = (password: string): FilePassword => ({ directive: 'requirepass', password });

test('passwords are read as a server reads its file', () => {
  const cases: readonly (readonly [string, readonly FilePassword[]])[] = [
    ['', []],
    ['requirepass secret', [required('secret')]],
    ['  REQUIREPASS   secret  \r\n', [required('secret')]],
    ['requirepass "two words"', [required('two words')]],
    [String.raw`requirepass "a\"b\\c\x41"`, [required(String.raw`a"b\cA`)]],
    [String.raw`requirepass 'it\'s'`, [required("it's")]],
    ['requirepass pa#ss"word', [required('pa#ss"word')]],
    ['requirepass ""', []],
    ['requirepass', []],
    ['# requirepass foobared', []],
    ['requirepass first\nrequirepass last', [required('last')]],
    ['requirepass ${REDIS_PASSWORD}', []],
    ['requirepass $REDIS_PASSWORD', []],
    ['requirepass {{ .Values.password }}', []],
    ['requirepass <password>', []],
    ['masterauth both\nrequirepass both', [required('both'), { directive: 'masterauth', password: 'both' }]],
    ['primaryauth only', [{ directive: 'masterauth', password: 'only' }]],
    ['masterauth secret\nmasteruser replicator', []],
    ['sentinel auth-pass mymaster secret', []],
    ['user default off\nuser ops on >pw +@all', [{ directive: 'user', username: 'ops', password: 'pw' }]],
    ['user ops on #0123abc +@all\nuser off off >x\nuser bare on nopass', []],
    [
      'user app on >one ~app:* +get\nuser admin on >two ~* +@all\nuser default on >three +@all',
      [
        { directive: 'user', username: 'default', password: 'three' },
        { directive: 'user', username: 'admin', password: 'two' },
        { directive: 'user', username: 'app', password: 'one' },
      ],
    ],
  ];
  for (const [text, expected] of cases) assert.deepEqual(readConfiguration(text).passwords, expected, text);
});

test('TLS is read with its files, and the client certificate only where it may be asked for', () => {
  const files = 'tls-ca-cert-file /tls/ca.crt\ntls-cert-file /tls/tls.crt\ntls-key-file "/tls/tls.key"';
  const all = { ca: '/tls/ca.crt', cert: '/tls/tls.crt', key: '/tls/tls.key' };
  const cases: readonly (readonly [string, TlsPaths | undefined])[] = [
    [`port 0\ntls-port 6379\n${files}`, all],
    [`tls-port 6380\n${files}`, all],
    [`tls-port 6379\ntls-auth-clients optional\n${files}`, all],
    [`tls-port 6379\ntls-auth-clients no\n${files}`, { ca: '/tls/ca.crt' }],
    ['tls-port 6379', {}],
    [files, undefined],
    [`tls-port 0\n${files}`, undefined],
  ];
  for (const [text, expected] of cases) assert.deepEqual(readConfiguration(text).tls, expected, text);
});
