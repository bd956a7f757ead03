import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubernetesAccess, KubernetesObject } from '../../src/kubernetes/kubernetesAccess.ts';
import { keepOnFailure, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import { kubernetesEditor, type KubernetesEditor } from '../support/vscode/kubernetesEditor.ts';
import { personAt } from '../support/vscode/person.ts';
import type { Result } from '../support/vscode/results.ts';

interface Report {
  readonly result: string;
  readonly reason: string;
  readonly count: number;
  readonly backups: readonly { readonly name: string; readonly keys?: number }[];
}

describe('backups on a schedule', { timeout: 20 * 60_000 }, () => {
  let access: KubernetesAccess;
  let vscode: VSCodeUnderTest;
  let cluster: KubernetesEditor['cluster'];
  let close: () => Promise<void>;
  before(async () => {
    ({ access, vscode, cluster, close } = await kubernetesEditor('scheduled'));
    await vscode.command('workbench.view.extension.redisCluster');
    const answers = { ...cluster, masters: 3, replicasPerMaster: 1, overlays: ['dev'], confirmed: true };
    const deployed = await vscode.command<Result>('redisCluster.deploy', answers);
    assert.equal(deployed.outcome, 'done', deployed.message);
  });
  after(() => close());
  keepOnFailure(() => vscode);
  const { picture, dialog } = personAt(() => vscode);
  const listed = (kind: string, apiVersion = 'v1'): Promise<readonly KubernetesObject[]> =>
    access.list(apiVersion, kind, cluster.namespace, 'app.kubernetes.io/name=redis-cluster-backup');
  const names = async (kind: string, apiVersion?: string): Promise<readonly string[]> =>
    (await listed(kind, apiVersion)).map(({ metadata }) => metadata.name);

  /** What the backups' pods that have ended reported, the newest first. */
  async function reports(): Promise<readonly Report[]> {
    const ended = (await listed('Pod')).flatMap(({ status }) => {
      const { containerStatuses = [] } = status as {
        containerStatuses?: { state: { terminated?: { message?: string; finishedAt: string } } }[];
      };
      const { message, finishedAt = '' } = containerStatuses[0]?.state.terminated ?? {};
      return message === undefined ? [] : [{ finishedAt, report: JSON.parse(message) as Report }];
    });
    return ended.sort((a, b) => b.finishedAt.localeCompare(a.finishedAt)).map(({ report }) => report);
  }

  test('the plan says when and what is kept; Kubernetes takes a backup by itself', async () => {
    const schedule = { schedule: '* * * * *', keep: 2, storage: '1Gi' };
    const pending = vscode.command<Result>('redisCluster.scheduleBackup', {
      cluster,
      ...schedule,
      ask: true,
    });
    const text = await dialog();
    assert.match(text, /Schedule backups of .*: every minute \(Etc\/UTC\)/);
    assert.match(text, /The newest 2 backups are kept on volume shop-backup \(1Gi\)/);
    await picture('schedule');
    await vscode.pressDialog('Schedule');
    const scheduled = await pending;
    assert.equal(scheduled.outcome, 'done', scheduled.message);
    await eventually('a backup that Kubernetes took', 150, async () => (await reports()).length > 0);
    const [report] = await reports();
    assert.equal(report?.result, 'done', report?.reason);
    assert.equal(report.backups.length, 1);
  });

  test('only as many are kept as were asked for', async () => {
    await eventually('three backups', 200, async () => {
      const all = new Set((await reports()).flatMap(({ backups }) => backups.map(({ name }) => name)));
      return all.size >= 3;
    });
    const [report] = await reports();
    assert.equal(report?.count, 2);
  });

  test('it is changed and removed, and the volume with the backups stays', async () => {
    const answers = { cluster, schedule: '30 4 * * 1', confirmed: true };
    const changed = await vscode.command<Result>('redisCluster.scheduleBackup', answers);
    assert.equal(changed.outcome, 'done', changed.message);
    const [cronJob] = await listed('CronJob', 'batch/v1');
    const spec = cronJob?.['spec'] as { readonly schedule: string };
    assert.equal(spec.schedule, '30 4 * * 1');
    const none = { cluster, schedule: 'none', confirmed: true };
    const removed = await vscode.command<Result>('redisCluster.scheduleBackup', none);
    assert.equal(removed.outcome, 'done', removed.message);
    assert.deepEqual(await names('CronJob', 'batch/v1'), []);
    assert.deepEqual(await names('ConfigMap'), []);
    assert.deepEqual(await names('PersistentVolumeClaim'), ['shop-backup']);
  });

  test('deleting the cluster also deletes its schedule, and keeps the backups', async () => {
    const answers = { cluster, schedule: '0 3 * * *', storage: '1Gi', confirmed: true };
    const again = await vscode.command<Result>('redisCluster.scheduleBackup', answers);
    assert.equal(again.outcome, 'done', again.message);
    const pending = vscode.command<Result>('redisCluster.delete', { cluster, volumes: true });
    const text = await dialog();
    assert.match(text, /Kept: volume shop-backup/);
    await vscode.pressDialog('Delete');
    await vscode.typeInput('shop');
    const deleted = await pending;
    assert.equal(deleted.outcome, 'done', deleted.message);
    assert.deepEqual(await names('CronJob', 'batch/v1'), []);
    assert.deepEqual(await names('PersistentVolumeClaim'), ['shop-backup']);
  });
});
