import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeAuthority } from '../../../support/authority.ts';
import '../editor/register.ts';

const { credentialsIn } = await import('../../../../src/ui/signIn/answers.ts');

let folder: string;
let pem: Readonly<Record<'ca.crt' | 'tls.crt' | 'tls.key', string>>;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'answers-'));
  const authority = await makeAuthority('own');
  pem = await authority.issue(['redis.example']);
  await authority.dispose();
});
after(() => rm(folder, { recursive: true }));

test('credentials are taken as they are given, empty ones left out', async () => {
  assert.deepEqual(await credentialsIn({ cluster: {} }), {});
  assert.deepEqual(await credentialsIn({ username: 'ops', password: 'x' }), {
    username: 'ops',
    password: 'x',
  });
  assert.deepEqual(await credentialsIn({ username: '', password: '', tls: {} }), { tls: {} });
  assert.deepEqual(await credentialsIn({ tls: { serverName: '' } }), { tls: { serverName: '' } });
});

test('PEM is taken from text, from text whose lines were joined, and from files', async () => {
  const file = join(folder, 'tls.key');
  await writeFile(file, `some header\n${pem['tls.key']}`);
  const { tls } = await credentialsIn({
    tls: { ca: pem['ca.crt'].replaceAll('\n', ' '), cert: pem['tls.crt'].replaceAll('\n', '\\n'), key: file },
  });
  const lines = (text = ''): string => text.trim();
  assert.deepEqual(
    [lines(tls?.ca), lines(tls?.cert), lines(tls?.key)],
    [lines(pem['ca.crt']), lines(pem['tls.crt']), lines(pem['tls.key'])],
  );
});

test('what cannot be used is refused, and no key is quoted', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const type = 'pkcs8' as const;
  const other = String(privateKey.export({ format: 'pem', type }));
  const locked = String(
    privateKey.export({ format: 'pem', type, cipher: 'aes-256-cbc', passphrase: 'planted-phrase' }),
  );
  const { 'ca.crt': ca, 'tls.crt': cert, 'tls.key': key } = pem;
  const damaged = key.replace(/\n./, '\n!');
  const cases: readonly [object, RegExp][] = [
    [{ password: 5 }, /^"password" must be a string/],
    [{ tls: 'yes' }, /^"tls" must be an object/],
    [{ tls: { CA: ca } }, /^"tls" has no field "CA". Its fields are ca, cert, key, serverName/],
    [{ tls: { ca: 5 } }, /^"ca" must be a string/],
    [{ tls: { ca: 'ca.crt' } }, /neither PEM text nor the absolute path of a file/],
    [{ tls: { ca: join(folder, 'none') } }, /certificate authority could not be read: ENOENT/],
    [{ tls: { ca: key } }, /has no “-----BEGIN CERTIFICATE-----” block/],
    [{ tls: { ca: ca.replace(/\n..../, '\nAAAA') } }, /its PEM text is damaged/],
    [{ tls: { cert } }, /belong together/],
    [{ tls: { cert, key: cert } }, /has no “-----BEGIN PRIVATE KEY-----” block/],
    [{ tls: { cert, key: damaged } }, /its PEM text is damaged/],
    [{ tls: { cert, key: locked } }, /protected by a passphrase/],
    [{ tls: { cert, key: other } }, /does not belong to the client certificate/],
  ];
  for (const [answers, message] of cases) {
    await assert.rejects(credentialsIn({ ...answers }), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, message);
      assert.ok(!error.message.includes(key.slice(40, 60)), 'a key is quoted');
      return true;
    });
  }
});
