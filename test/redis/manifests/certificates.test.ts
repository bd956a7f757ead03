import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNode } from '../../../src/redis/connect.ts';
import { makeAuthority } from '../../support/authority.ts';
import { startChaosClient } from '../../support/chaosClient.ts';
import type { TlsSecret } from './mountedSecrets.ts';
import { simulatePods, type SimulatedPods } from './simulatedPods.ts';

const all = [0, 1, 2, 3, 4, 5];
const names = ['*.redis-cluster.simulated.svc', 'localhost'];
const nameOf = (ordinal: number): string => `redis-cluster-${String(ordinal)}.redis-cluster.simulated.svc`;

/** The serial number of the certificate that a server shows to a client that checks the authority and the name. */
async function serialShown(pods: SimulatedPods, ordinal: number, ca: string): Promise<string> {
  const { host, port } = pods.addresses()[ordinal] ?? { host: '', port: 0 };
  const socket = connect({ host, port, ca, servername: nameOf(ordinal) });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}

/** Refreshes the pods one after another and waits until all show the one new certificate; returns its number. */
async function rotated(pods: SimulatedPods, tls: TlsSecret, ca: string): Promise<string> {
  const before = await serialsOf(pods, ca);
  for (const ordinal of [4, 2, 0, 5, 1, 3]) {
    await pods.refreshTls(ordinal, tls);
    await sleep(500);
  }
  const end = performance.now() + 60_000;
  for (;;) {
    const [first = '', ...others] = await serialsOf(pods, ca);
    if (first !== before[0] && others.every((one) => one === first)) return first;
    assert.ok(performance.now() < end, all.map(pods.agentLog).join(''));
    await sleep(500);
  }
}

function serialsOf(pods: SimulatedPods, ca: string): Promise<readonly string[]> {
  return Promise.all(all.map((ordinal) => serialShown(pods, ordinal, ca)));
}

/** The extension's own connection trusts the cluster's authority and no other, and knows the password before. */
async function editorConnects(pods: SimulatedPods, ca: string, other: string): Promise<void> {
  const [endpoint = { host: '', port: 0 }] = pods.addresses();
  const times = { connectTimeoutMs: 5_000, commandTimeoutMs: 5_000 };
  const credentials = { password: 'not yet', previousPassword: 'secret', tls: { ca } };
  const connection = await connectNode(endpoint, credentials, times);
  assert.equal(await connection.call('PING'), 'PONG');
  connection.close();
  const wrong = connectNode(endpoint, { password: 'secret', tls: { ca: other } }, times);
  await assert.rejects(wrong, /certificate/);
}

test('certificates and their authority are replaced while clients write, and no server restarts', async (t) => {
  const [old, next] = await Promise.all([makeAuthority('one'), makeAuthority('two')]);
  const tls = await old.issue(names);
  const pods = await simulatePods({ password: 'secret', tls });
  try {
    for (const ordinal of all) await pods.start(ordinal);
    t.diagnostic(`formed over TLS in ${(await pods.allReady(60)).toFixed(1)} s`);
    await editorConnects(pods, old.certificate, next.certificate);
    const runs = () => Promise.all(all.map((ordinal) => pods.ask(ordinal, ['INFO', 'server'])));
    const runIds = (await runs()).map((info) => /run_id:\w+/.exec(info)?.[0]);
    const both = old.certificate + next.certificate;
    const hosts = Object.fromEntries(pods.addresses().map(({ host }, ordinal) => [nameOf(ordinal), host]));
    const client = await startChaosClient({
      nodes: pods.addresses(),
      password: 'secret',
      tls: { ca: both },
      names: hosts,
    });
    const serials = new Set(await serialsOf(pods, both));
    for (const step of [
      await old.issue(names),
      { ...(await old.issue(names)), 'ca.crt': both },
      { ...(await next.issue(names)), 'ca.crt': both },
      await next.issue(names),
    ]) {
      serials.add(await rotated(pods, step, both));
    }
    assert.equal(serials.size, 5);
    const report = await client.stop();
    t.diagnostic(`${String(report.acknowledged)} writes acknowledged`);
    assert.deepEqual([report.missing, report.stale, report.errors], [0, 0, []]);
    assert.deepEqual(
      (await runs()).map((info) => /run_id:\w+/.exec(info)?.[0]),
      runIds,
    );
    await assert.rejects(serialShown(pods, 0, old.certificate), /certificate/);
    // A pod that starts now, with the new authority alone, is let in.
    await pods.kill(4);
    await pods.start(4);
    await pods.allReady(60);
  } finally {
    await pods.dispose();
    await Promise.all([old.dispose(), next.dispose()]);
  }
});
