import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { keepOnFailure, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { kubernetesEditor, type KubernetesEditor } from '../support/vscode/kubernetesEditor.ts';
import { personAt } from '../support/vscode/person.ts';
import type { CheckResult, Result } from '../support/vscode/results.ts';

interface Restored extends Result {
  readonly movedKeys: number;
  readonly comparedValues: number;
  readonly cluster: { readonly namespace: string; readonly name: string };
}

const keys = 5_000;

describe('clusters from backups and from each other', { timeout: 20 * 60_000 }, () => {
  let access: KubernetesAccess;
  let vscode: VSCodeUnderTest;
  let cluster: KubernetesEditor['cluster'];
  let kubernetes: KubernetesEditor['kubernetes'];
  let folder: string;
  let close: () => Promise<void>;
  const small = { replicasPerMaster: 0, overlays: ['dev'], auth: 'generate' };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backups-'));
    ({ access, vscode, cluster, kubernetes, close } = await kubernetesEditor('clone'));
    await vscode.command('workbench.view.extension.redisCluster');
    const answers = { ...cluster, ...small, masters: 3, confirmed: true };
    const deployed = await vscode.command<Result>('redisCluster.deploy', answers);
    assert.equal(deployed.outcome, 'done', deployed.message);
    await fill();
  });
  after(async () => {
    await close();
    await rm(folder, { recursive: true });
  });
  keepOnFailure(() => vscode);
  const { picture, dialog } = personAt(() => vscode);

  async function inPod(pod: string, command: readonly string[]): Promise<string> {
    let output = '';
    const { namespace } = cluster;
    const session = await access.exec(namespace, pod, 'redis', command, (data) => {
      output += data;
    });
    await session.done;
    return output;
  }

  async function fill(): Promise<void> {
    const script = `for i in $(seq ${keys}); do echo "SET key:$i value-$i"; done | redis-cli -c --no-auth-warning >/dev/null; redis-cli -c SET session:1 x EX 86400`;
    const password = await access.readSecret(cluster.namespace, { secret: 'shop-auth', key: 'password' });
    await inPod('shop-0', ['sh', '-c', `export REDISCLI_AUTH=${password ?? ''}; ${script}`]);
  }

  async function keysIn(ref: object): Promise<number> {
    const check = await vscode.command<CheckResult>('redisCluster.check', { cluster: ref });
    assert.equal(check.ok, true, check.text);
    return Number(/\[OK\] (\d+) keys in/.exec(check.text)?.[1]);
  }

  const namespaces = async (): Promise<readonly string[]> => await access.listNamespaces();
  const leftCopies = async (): Promise<readonly string[]> =>
    (await readdir(tmpdir())).filter((name) => name.includes('clone-'));

  test('a cluster is cloned to another namespace, with another number of masters', async () => {
    const namespace = await kubernetes.createNamespace('clone-to');
    const to = { context: cluster.context, namespace, name: 'copy', ...small, masters: 4 };
    const pending = vscode.command<Restored>('redisCluster.cloneCluster', { cluster, to, ask: true });
    const text = await dialog();
    assert.match(text, /Clone shop: deploy .*4 masters/);
    assert.match(text, /copied to a folder of this computer that only you can read/);
    await picture('clone');
    await vscode.pressDialog('Clone');
    const cloned = await pending;
    assert.equal(cloned.outcome, 'done', cloned.message);
    assert.equal(cloned.movedKeys, keys + 1);
    assert.equal(cloned.cluster.namespace, namespace);
    assert.match(cloned.message, /was cloned to .*all equal/);
    assert.equal(await keysIn(cloned.cluster), keys + 1);
    assert.equal(await keysIn(cluster), keys + 1);
    assert.deepEqual(await leftCopies(), []);
  });

  test('a clone whose name is taken is refused before anything is copied', async () => {
    const to = { ...cluster, ...small };
    const refused = await vscode.command<Result>('redisCluster.cloneCluster', { cluster, to });
    assert.notEqual(refused.outcome, 'done');
    assert.match(refused.message, /Nothing was changed/);
    assert.deepEqual(await leftCopies(), []);
  });

  test('a backup is rehearsed in a namespace that is gone afterwards', async () => {
    const copied = await vscode.command<Result>('redisCluster.backup', { cluster, to: folder });
    assert.equal(copied.outcome, 'done', copied.message);
    const answers = { cluster, from: folder, ask: true };
    const pending = vscode.command<Restored>('redisCluster.rehearseRestore', answers);
    const text = await dialog();
    assert.match(text, /Namespace shop-rehearsal is created/);
    assert.match(text, /is then deleted with all in it/);
    await picture('rehearse');
    await vscode.pressDialog('Rehearse');
    const rehearsed = await pending;
    assert.equal(rehearsed.outcome, 'done', rehearsed.message);
    assert.equal(rehearsed.movedKeys, keys + 1);
    assert.ok(rehearsed.comparedValues > 0);
    assert.ok(!(await namespaces()).includes('shop-rehearsal'));
    const [name = ''] = await readdir(folder);
    const noted = JSON.parse(await readFile(join(folder, name, 'backup.json'), 'utf8')) as object;
    assert.ok('rehearsedAt' in noted && Date.now() - Date.parse(String(noted.rehearsedAt)) < 600_000);
  });

  test('what another rehearsal left is removed first; a namespace that is not of one is left alone', async () => {
    const labels = {
      'app.kubernetes.io/managed-by': 'kubernetes-redis-cluster',
      'app.kubernetes.io/component': 'rehearsal',
    };
    const left = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop-rehearsal', labels } };
    await access.create(left);
    const answers = { cluster, from: folder, confirmed: true };
    const again = await vscode.command<Result>('redisCluster.rehearseRestore', answers);
    assert.equal(again.outcome, 'done', again.message);
    assert.ok(!(await namespaces()).includes('shop-rehearsal'));
    await access.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop-rehearsal' } });
    const refused = await vscode.command<Result>('redisCluster.rehearseRestore', answers);
    assert.match(refused.message, /is not of a rehearsal, so it is left alone/);
    assert.ok((await namespaces()).includes('shop-rehearsal'));
    await access.delete('v1', 'Namespace', '', 'shop-rehearsal');
  });

  test('a backup becomes a new cluster in one command', async () => {
    const namespace = await kubernetes.createNamespace('restored');
    const into = { context: cluster.context, namespace, name: 'again', ...small, masters: 5 };
    const restored = await vscode.command<Restored>('redisCluster.restore', { from: folder, into });
    assert.equal(restored.outcome, 'done', restored.message);
    assert.equal(restored.movedKeys, keys + 1);
    assert.equal(await keysIn(restored.cluster), keys + 1);
  });
});
