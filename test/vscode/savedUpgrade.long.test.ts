import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { readPods, readSet } from '../../src/operations/statefulSets/facts.ts';
import { keepOnFailure, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import { kubernetesEditor, type KubernetesEditor } from '../support/vscode/kubernetesEditor.ts';
import { personAt } from '../support/vscode/person.ts';
import type { Result } from '../support/vscode/results.ts';

describe('an upgrade as a file', { timeout: 20 * 60_000 }, () => {
  let access: KubernetesAccess;
  let vscode: VSCodeUnderTest;
  let cluster: KubernetesEditor['cluster'];
  let close: () => Promise<void>;
  before(async () => {
    ({ access, vscode, cluster, close } = await kubernetesEditor('saved-upgrade'));
    await vscode.command('workbench.view.extension.redisCluster');
    const shape = { masters: 3, replicasPerMaster: 1, storage: '1Gi' };
    const deployed = await vscode.command<Result>('redisCluster.deploy', {
      ...{ ...cluster, ...shape, auth: 'generate', overlays: [], confirmed: true },
    });
    assert.equal(deployed.outcome, 'done', deployed.message);
  });
  after(() => close());
  keepOnFailure(() => vscode);
  const { picture, asked, dialog, told } = personAt(() => vscode);
  const pressLens = (title: string): Promise<void> =>
    vscode.page.locator('.codelens-decoration a').filter({ hasText: title }).first().click();
  const openText = (): Promise<string> =>
    vscode.evaluate(({ window }) => window.activeTextEditor?.document.getText() ?? '');
  const pods = () => readPods(access, cluster.namespace, cluster.name);

  test('its plan is saved, read, and tried without changing anything', async () => {
    const before = await pods();
    await vscode.palette('Redis Cluster: Upgrade Image or Configuration…');
    await asked(/Select what to change/);
    await vscode.pick('Memory');
    await asked(/memory limit/);
    await vscode.typeInput('384Mi');
    assert.match(await dialog(), /Restart shop-5, wait until it is in sync/);
    await vscode.pressDialog('Save Plan…');
    await asked(/Save Plan/);
    const name = vscode.page.locator('.quick-input-widget:visible .quick-input-filter input.input');
    await eventually('the name of the file', 20, async () =>
      (await name.inputValue()).endsWith('.redisplan.json'),
    );
    await vscode.page.keyboard.press('Enter');
    await vscode.page.locator('.codelens-decoration a').first().waitFor();
    const saved = await vscode.evaluate(({ window }) => window.activeTextEditor?.document.fileName ?? '');
    const written = JSON.parse(await readFile(saved, 'utf8')) as { readonly steps: { kind: string }[] };
    assert.deepEqual(
      written.steps.map(({ kind }) => kind),
      ['changeTemplate', ...Array.from({ length: 6 }, () => 'restartPod'), 'openPartition'],
    );
    await picture('upgrade-file');
    await pressLens('Dry Run');
    await eventually('the dry run', 20, async () => (await openText()).includes('could start now'));
    assert.match(await openText(), /2\. Restart shop-5.*: would run after that/);
    await picture('upgrade-dry-run');
    await vscode.page.getByRole('tab', { name: /redisplan\.json/ }).click();
    assert.deepEqual(await pods(), before);
  });

  test('its editor is killed half way, and another window goes on with the pods that are left', async () => {
    const before = (await pods()).map(({ uid }) => uid);
    await pressLens('Run');
    assert.match(await dialog(), /Change the pods of StatefulSet shop \(memory 384Mi\)/);
    await vscode.pressDialog('Run');
    const renewed = async (): Promise<readonly string[]> =>
      (await pods()).filter(({ uid, ready }) => ready && !before.includes(uid)).map(({ uid }) => uid);
    await eventually('two pods are restarted', 180, async () => (await renewed()).length >= 2);
    const first = await renewed();
    await vscode.evaluate(() => process.kill(process.pid, 'SIGKILL')).catch(() => undefined);
    await vscode.page.reload();
    await told(/VS Code closed before “Run a saved plan \(upgrade\)/, 120);
    assert.ok((await renewed()).length < 6, 'all pods had been restarted before the editor was killed');
    await vscode.pressNotification(/VS Code closed before/, 'Resume');
    assert.match(await dialog(), /Run a saved plan \(upgrade\) on shop/);
    await picture('upgrade-go-on');
    await vscode.pressDialog('Resume');
    await told(/8 of 8 steps/, 300);
    const after = await pods();
    assert.ok(after.every(({ uid, ready }) => ready && !before.includes(uid)));
    assert.ok(
      first.every((uid) => after.some((pod) => pod.uid === uid)),
      'none was restarted twice',
    );
    const set = await readSet(access, cluster.namespace, cluster.name);
    assert.deepEqual([set.partition, set.containers[0]?.memory], [0, '384Mi']);
    const checked = await vscode.command<Result>('redisCluster.check', { cluster });
    assert.equal(checked.outcome, 'done', checked.message);
  });
});
