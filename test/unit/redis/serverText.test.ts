import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyText, serverName, serverText } from '../../../src/model/serverText.ts';
import { parseClusterNodes } from '../../../src/redis/clusterNodes.ts';
import { nodeView } from '../../../src/redis/nodeView.ts';

const hostile = '\u001b]0;owned\u0007[click](command:evil)<img src=x>\u202e';

test('what a server says has no escape code, no link and no end that is far away', () => {
  assert.equal(serverText(`ERR ${hostile}`), 'ERR  ]0;owned [click] (command:evil)<img src=x>');
  assert.equal(serverText('a\r\nb'), 'a b');
  assert.equal(serverText('x'.repeat(10_000)).length, 501);
  assert.equal(
    keyText(Buffer.from(`a\n${hostile}`)),
    '"a\\n\\u001b]0;owned\\u0007[click] (command:evil)<img src=x>"',
  );
  assert.equal(serverName('redis-0.shop.svc'), 'redis-0.shop.svc');
  assert.equal(serverName('fe80::1%eth0'), 'fe80::1%eth0');
});

test('names, addresses, ids and versions of a hostile server are letters and digits', () => {
  const bad = hostile.replaceAll(' ', '');
  const line = `a${bad} ${bad}:6379@16379,host${bad} myself,master - 0 0 1 connected 0-1`;
  const nodes = parseClusterNodes(line);
  const { self } = nodes;
  const view = nodeView(
    nodes,
    '',
    `# Server\r\nredis_version:7.0${bad}\r\n\n# Memory\nmaxmemory_policy:x${bad}\r\n`,
  );
  for (const text of [self.id, self.host, self.hostname ?? '', view.version, view.evictionPolicy])
    assert.match(text, /^[\w.:%-]*$/);
});

test('texts are drawn as texts: no Markdown and no HTML is made of them', () => {
  const root = join(import.meta.dirname, '..', '..', '..');
  const files = globSync('{src,media}/**/*.ts', { cwd: root });
  assert.ok(files.length > 300);
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    assert.doesNotMatch(
      text,
      /MarkdownString|innerHTML|outerHTML =|insertAdjacentHTML|document\.write/,
      file,
    );
  }
});
