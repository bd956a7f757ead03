import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { connectNode } from '../../src/redis/connect.ts';
import { makeAuthority } from '../support/authority.ts';

const port = 17_443;
const times = { connectTimeoutMs: 10_000, commandTimeoutMs: 10_000 };

test('a server that speaks TLS is reached through a forwarded socket, and trusted by its own authority only', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'));
  const [own, other] = [await makeAuthority('own'), await makeAuthority('other')];
  for (const [name, text] of Object.entries(await own.issue(['*.shop.default.svc'])))
    await writeFile(join(folder, name), text);
  const file = (name: string): string => join(folder, name);
  const listen = ['--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1', '--save', ''];
  const certificates = ['--tls-cert-file', file('tls.crt'), '--tls-key-file', file('tls.key')];
  const clients = ['--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', 'optional'];
  const server = spawn('redis-server', [...listen, ...certificates, ...clients, '--dir', folder]);
  const ended = once(server, 'exit');
  const path = join(folder, 'forward');
  const forward = createServer((socket) => {
    const upstream = connect(port, '127.0.0.1');
    socket.pipe(upstream).pipe(socket);
    for (const one of [socket, upstream]) one.on('error', () => socket.destroy());
  });
  t.after(async () => {
    forward.close();
    server.kill();
    await ended;
    for (const authority of [own, other]) await authority.dispose();
    await rm(folder, { recursive: true });
  });
  await once(forward.listen(path), 'listening');
  for (let tries = 0; tries < 100 && !(await answers(own.certificate)); tries++) await sleep(100);
  assert.equal(await answers(own.certificate), true);
  assert.equal(await answers(other.certificate), false);
  await assert.rejects(connectNode({ path }, {}, times), { reason: 'tls', message: /requires TLS/ });
  const untrusted = { tls: { ca: other.certificate } };
  await assert.rejects(connectNode({ path }, untrusted, times), { reason: 'tls', message: /rejected/ });

  async function answers(ca: string): Promise<boolean> {
    try {
      const connection = await connectNode({ path }, { tls: { ca } }, times);
      const reply = await connection.call('PING');
      connection.close();
      return reply === 'PONG';
    } catch {
      return false;
    }
  }
});
