import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { makeAuthority } from '../../support/authority.ts';
import type { ChaosReport } from '../../support/chaosClient.ts';
import { deployManifests, selector, type Deployment } from '../../support/scenarios/deployment.ts';
import { countKeys, fill } from '../../support/scenarios/keys.ts';
import { record } from '../../support/scenarios/record.ts';
import { runScenario } from '../../support/scenarios/runScenario.ts';
import { withServer } from '../../support/scenarios/servers.ts';
import { story, untilWhole } from '../../support/scenarios/whole.ts';
import { underWriters } from '../../support/scenarios/writers.ts';
import { startKubernetes } from '../../support/startKubernetes.ts';

if (process.env['TEST_ALL'] === '1') {
  test('the password is replaced in its Secret: no restart, nothing lost', rotatePassword);
  test(
    'certificates and their authority are replaced in their Secret: no restart, nothing lost',
    rotateCertificates,
  );
}

const encoded = (text: string): string => Buffer.from(text).toString('base64');

async function rotatePassword(t: TestContext): Promise<void> {
  const kubernetes = await startKubernetes();
  const deployment = await deployManifests(kubernetes);
  try {
    await untilWhole(deployment, 6);
    const dataset = await fill(deployment, 20_000);
    const [old, fresh] = [deployment.password ?? '', 'the "new" one'];
    const renewed: Deployment = { ...deployment, password: fresh };
    const before = await incarnations(deployment);
    const begun = performance.now();
    const both = { data: { password: encoded(fresh), 'previous-password': encoded(old) } };
    const first = await underWriters(deployment, async () => {
      await patch(deployment, 'redis-cluster-auth', both);
      await untilAll(deployment, /can be removed from the Secret/);
    });
    const second = await underWriters(renewed, async () => {
      await patch(deployment, 'redis-cluster-auth', { data: { 'previous-password': null } });
      await untilAll(deployment, /no longer accepts any other/);
    });
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    for (const { ip } of await deployment.pods()) {
      await assert.rejects(
        withServer(deployment, ip, (redis) => redis.ping()),
        'the old password is refused',
      );
      assert.equal(await withServer(renewed, ip, (redis) => redis.ping()), 'PONG');
    }
    assert.deepEqual(await incarnations(deployment), before);
    const found = await countKeys(renewed, dataset);
    const report = together(first.report, second.report);
    const row = record('rotate-password', deployment, {
      seconds,
      report,
      dataset: dataset.text,
      held: found === dataset.keys,
    });
    t.diagnostic(JSON.stringify({ ...row, client: undefined }));
    assert.deepEqual([report.missing, report.stale, report.errors, found], [0, 0, [], dataset.keys]);
  } finally {
    await deployment.remove();
    await kubernetes.stop();
  }
}

async function rotateCertificates(t: TestContext): Promise<void> {
  const kubernetes = await startKubernetes();
  const [old, next] = await Promise.all([makeAuthority('one'), makeAuthority('two')]);
  const names = ['*.redis-cluster', 'localhost'];
  const bundle = old.certificate + next.certificate;
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'redis-cluster-tls' } };
  const deployment = await deployManifests(kubernetes, {
    from: 'manifests/overlays/tls',
    tls: { ca: bundle },
    before: JSON.stringify({ ...secret, stringData: await old.issue(names) }),
  });
  try {
    await untilWhole(deployment, 6);
    const dataset = await fill(deployment, 20_000);
    const before = await incarnations(deployment);
    await runScenario(t, 'rotate-certificates', { deployment, dataset }, async () => {
      const begun = performance.now();
      for (const stringData of [
        await old.issue(names),
        { ...(await old.issue(names)), 'ca.crt': bundle },
        { ...(await next.issue(names)), 'ca.crt': bundle },
        await next.issue(names),
      ]) {
        const shown = await serials(deployment);
        await patch(deployment, 'redis-cluster-tls', { stringData });
        await untilShown(deployment, shown[0] ?? '');
      }
      const seconds = Math.round((performance.now() - begun) / 100) / 10;
      assert.deepEqual(await incarnations(deployment), before);
      return { seconds, note: 'certificate, then authority: both, new certificate, new alone' };
    });
  } finally {
    await deployment.remove();
    await Promise.all([old.dispose(), next.dispose()]);
    await kubernetes.stop();
  }
}

async function patch({ kubectl }: Deployment, secret: string, change: object): Promise<void> {
  await kubectl(['patch', 'secret', secret, '--patch-file=/dev/stdin'], JSON.stringify(change));
}

/** Who the pods are and how often their containers were started. */
function incarnations({ kubectl }: Deployment): Promise<string> {
  const path = '{range .items[*]}{.metadata.uid} {.status.containerStatuses[*].restartCount}{"\\n"}{end}';
  return kubectl(['get', 'pods', '-l', selector, '-o', `jsonpath=${path}`]);
}

/** Kubelets refresh mounted Secrets within some 90 seconds. */
async function untilAll(deployment: Deployment, said: RegExp): Promise<void> {
  const end = performance.now() + 300_000;
  for (;;) {
    const logs = await Promise.all(
      (await deployment.pods()).map(({ name }) => deployment.kubectl(['logs', name, '-c', 'agent'])),
    );
    if (logs.every((log) => said.test(log))) return;
    assert.ok(performance.now() < end, await story(deployment));
    await sleep(1000);
  }
}

async function untilShown(deployment: Deployment, before: string): Promise<void> {
  const end = performance.now() + 300_000;
  for (;;) {
    const [first = '', ...others] = await serials(deployment);
    if (first !== before && others.every((one) => one === first)) return;
    assert.ok(performance.now() < end, await story(deployment));
    await sleep(1000);
  }
}

/** The serial number of the certificate that each server shows. */
async function serials(deployment: Deployment): Promise<readonly string[]> {
  const { ca = '' } = deployment.tls ?? {};
  return Promise.all(
    (await deployment.pods()).map(async ({ ip }) => {
      const socket = connect({ host: ip, port: 6379, ca, checkServerIdentity: () => undefined });
      try {
        await once(socket, 'secureConnect');
        return socket.getPeerCertificate().serialNumber;
      } finally {
        socket.destroy();
      }
    }),
  );
}

function together(first: ChaosReport, second: ChaosReport): ChaosReport {
  return {
    ...second,
    acknowledged: first.acknowledged + second.acknowledged,
    missing: first.missing + second.missing,
    stale: first.stale + second.stale,
    errors: [...first.errors, ...second.errors],
    longestGapMs: Math.max(first.longestGapMs, second.longestGapMs),
  };
}
