import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UserError } from '../../../src/model/errors.ts';
import { driftFindings } from '../../../src/operations/settings/drift.ts';
import { checkSettings, editSettings, settingsIn } from '../../../src/operations/settings/settings.ts';
import type { Release } from '../../../src/model/release.ts';
import { judgeVersions, releaseOfImage } from '../../../src/operations/rollout/versions.ts';

const redisConf = '# why\nappendonly yes\nsave ""\nrepl-backlog-size 16mb\n';

test('images say their release, and who reads whose files follows from it', () => {
  const read = (image: string): string => JSON.stringify(releaseOfImage(image) ?? 'unknown');
  assert.equal(read('redis:7.0.15'), '{"product":"redis","version":"7.0.15"}');
  assert.equal(
    read('registry:5000/bitnami/valkey:8.1.1-debian-12-r0'),
    '{"product":"valkey","version":"8.1.1"}',
  );
  assert.equal(read('redis:8.0-alpine@sha256:aa'), '{"product":"redis","version":"8.0"}');
  assert.deepEqual(
    [read('redis:latest'), read('redis'), read('other:1.2.3')],
    ['"unknown"', '"unknown"', '"unknown"'],
  );
  const redis = (version: string): Release => ({ product: 'redis', version });
  const valkey = (version: string): Release => ({ product: 'valkey', version });
  for (const [from, to, isOneWay] of [
    [redis('7.0.15'), redis('8.0.2'), true],
    [redis('8.0.2'), redis('8.6.3'), true],
    [redis('7.0.15'), valkey('8.1.1'), true],
    [redis('7.2.4'), valkey('8.1.1'), false],
    [valkey('8.1.1'), valkey('9.1.2'), true],
    [redis('8.0.2'), redis('8.0.5'), false],
  ] as const) {
    const verdict = judgeVersions([from], to);
    assert.equal(verdict.isOneWay, isOneWay, `${from.version} to ${to.version}`);
  }
  assert.deepEqual(judgeVersions([redis('7.0.15')], redis('8.0.2')).warnings, []);
  assert.match(judgeVersions([redis('7.0.15')], redis('8.6.3')).warnings.join(), /is not a tested upgrade/);
  for (const [from, to] of [
    [redis('7.4.0'), valkey('9.1.2')],
    [redis('8.0.2'), valkey('8.1.1')],
    [valkey('9.1.2'), valkey('8.1.1')],
    [valkey('9.1.2'), redis('8.6.3')],
    [redis('8.6.3'), redis('8.0.2')],
  ] as const) {
    assert.throws(() => judgeVersions([from], to), /cannot read/);
  }
});

test('redis.conf is edited line by line; comments, order and other lines stay', () => {
  assert.equal(
    editSettings('# a\nsave 900 1\ntimeout 5\nsave 300 10\n', {
      save: '',
      'maxmemory-policy': 'allkeys-lru',
    }),
    '# a\nsave ""\ntimeout 5\nmaxmemory-policy allkeys-lru\n',
  );
  const awkward = editSettings('', { 'syslog-ident': 'a "b" #c\\' });
  assert.deepEqual(settingsIn(awkward).get('syslog-ident'), ['a "b" #c\\']);
  for (const name of ['dir', 'tls-port', 'cluster-announce-ip', 'Bad Name', 'appendfilename']) {
    assert.throws(() => {
      checkSettings({ [name]: 'x' });
    }, UserError);
  }
});

test('drift is what servers say otherwise; ways of writing an amount are none, secrets are not looked at', () => {
  const values = new Map([
    ['appendonly', 'yes'],
    ['save', ''],
    ['repl-backlog-size', '16777216'],
    ['requirepass', 'secret'],
  ]);
  const node = { id: 'm0', name: 'shop-0' };
  const text = `${redisConf}requirepass other\n`;
  assert.deepEqual(driftFindings(text, [{ node, values }]), []);
  const changed = new Map([...values, ['appendonly', 'no']] as [string, string][]);
  const [finding, ...more] = driftFindings(text, [
    { node, values },
    { node: { id: 'm1', name: 'shop-1' }, values: changed },
  ]);
  assert.deepEqual(more, []);
  assert.deepEqual([finding?.severity, finding?.nodeIds], ['info', ['m1']]);
  assert.deepEqual(finding?.evidence, ['redis.conf: appendonly yes', 'shop-1: no']);
});
