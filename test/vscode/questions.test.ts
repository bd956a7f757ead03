import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubernetesAccess } from '../../src/kubernetes/kubernetesAccess.ts';
import { keepOnFailure, type VSCodeUnderTest } from '../support/launchVSCode.ts';
import { eventually } from '../support/vscode/kubernetesAccess.ts';
import { kubernetesEditor, type KubernetesEditor } from '../support/vscode/kubernetesEditor.ts';
import { personAt } from '../support/vscode/person.ts';
import type { Result } from '../support/vscode/results.ts';

describe('what people are asked', { timeout: 30 * 60_000 }, () => {
  let access: KubernetesAccess;
  let vscode: VSCodeUnderTest;
  let cluster: KubernetesEditor['cluster'];
  let close: () => Promise<void>;
  before(async () => {
    ({ access, vscode, cluster, close } = await kubernetesEditor('questions'));
    await vscode.command('workbench.view.extension.redisCluster');
    await vscode.expandRow(cluster.context);
  });
  after(() => close());
  keepOnFailure(() => vscode);
  const { picture, asked, dialog, told } = personAt(() => vscode);

  test('Export Manifests… asks what the cluster is to be and opens its objects', async () => {
    await vscode.palette('Redis Cluster: Export Manifests…');
    await asked(/Namespace to write/);
    await picture('export-namespace');
    await vscode.typeInput(cluster.namespace);
    await asked(/Name of the cluster/);
    await vscode.typeInput(cluster.name);
    await asked(/Select overlays/);
    await picture('overlays');
    await vscode.pickMany(['production', 'metrics']);
    await asked(/masters × replicas/);
    await picture('export-shape');
    await vscode.typeInput('3 x 1');
    await asked(/Volume size/);
    await picture('export-storage');
    await vscode.typeInput('20Gi');
    await told(/The manifests of shop are open/, 30);
    await picture('export-document');
    const text = await vscode.evaluate(({ window }) => window.activeTextEditor?.document.getText() ?? '');
    assert.match(text, /storage: 20Gi/);
    assert.match(text, /kind: StatefulSet/);
    assert.doesNotMatch(text, /kind: Secret\n/);
    await vscode.command('workbench.action.revertAndCloseActiveEditor');
    await vscode.command('notifications.clearAll');
  });

  test('Deploy Cluster… asks for the place and the same, and shows its plan', async () => {
    await vscode.palette('Redis Cluster: Deploy Cluster…');
    await asked(/Select the context/);
    await vscode.pick(cluster.context);
    await asked(/Select the namespace/);
    await vscode.pick(cluster.namespace);
    await asked(/Name of the cluster/);
    await vscode.typeInput(cluster.name);
    await asked(/Select overlays/);
    await vscode.pickMany([]);
    await asked(/masters × replicas/);
    await vscode.typeInput('3 x 1');
    await asked(/Volume size/);
    await vscode.typeInput('1Gi');
    assert.match(await dialog(), /3 masters, 1 replica each.*6 pods of redis:\S+ on volumes of 1Gi/s);
    await picture('deploy-plan');
    await vscode.pressDialog('Deploy');
    await told(/Deploy shop/, 60);
    await picture('deploy-progress');
    await told(/shop is ready after/, 300);
    await picture('deploy-done');
    await vscode.command('notifications.clearAll');
  });

  const upgrade = async (what: string, question: RegExp): Promise<void> => {
    await vscode.palette('Redis Cluster: Upgrade Image or Configuration…');
    await asked(/Select what to change/);
    await vscode.pick(what);
    await asked(question);
  };

  test('Upgrade… asks what to change, shows its plan, and says what is left when it is cancelled', async () => {
    await vscode.palette('Redis Cluster: Upgrade Image or Configuration…');
    await asked(/Select what to change/);
    await picture('upgrade-what');
    await vscode.pick('Memory');
    await asked(/memory limit/);
    await picture('upgrade-memory');
    await vscode.typeInput('384Mi');
    assert.match(await dialog(), /memory \d+Mi to 384Mi.*Fail over shop-/s);
    await picture('upgrade-plan');
    await vscode.pressDialog('Show Plan');
    assert.match(await dialog(), /memory \d+Mi to 384Mi/);
    await picture('upgrade-plan-document');
    await vscode.pressDialog('Upgrade');
    await told(/step \d of 8: shop-\d/, 60);
    await picture('upgrade-progress');
    await vscode.pressNotification(/Upgrade shop/, 'Cancel');
    await told(/Started to upgrade shop.*partition of StatefulSet shop keeps pods/, 300);
    await picture('upgrade-stopped');
    await vscode.command('notifications.clearAll');
    await vscode.command('workbench.action.closeAllEditors');
    const rest = await vscode.command<Result & { updatedPods: readonly string[] }>('redisCluster.upgrade', {
      ...{ cluster, memory: '384Mi' },
    });
    assert.equal(rest.outcome, 'done', rest.message);
    assert.ok(rest.updatedPods.length < 6 && rest.updatedPods.at(-1) === 'shop-0', rest.message);
  });

  test('Upgrade… takes a setting and says when all servers have it', async () => {
    await upgrade('Configuration', /redis\.conf/);
    await vscode.page.keyboard.type('maxmemory-policy');
    await asked(/Enter a name and a value/);
    await picture('upgrade-configuration');
    await vscode.typeInput('maxmemory-policy allkeys-lru');
    assert.match(await dialog(), /Set maxmemory-policy to allkeys-lru on shop-0, /);
    await vscode.pressDialog('Upgrade');
    await told(/Upgraded shop \(maxmemory-policy\)/, 120);
    await picture('upgrade-done');
    await vscode.command('notifications.clearAll');
  });

  test('Rotate Password… says what clients have to expect before it begins', async () => {
    const secret = { secret: 'shop-auth', key: 'password' };
    const before = await access.readSecret(cluster.namespace, secret);
    await vscode.palette('Redis Cluster: Rotate Password…');
    assert.match(await dialog(), /need the new password/);
    await picture('rotate-plan');
    await vscode.pressDialog('Rotate Password');
    await told(/Rotate the password of shop/, 60);
    await picture('rotate-progress');
    await eventually('the rotation has ended', 420, async () =>
      (await vscode.notifications()).some((text) => text.includes('all servers have the new password')),
    );
    await picture('rotate-done');
    assert.notEqual(await access.readSecret(cluster.namespace, secret), before);
    await vscode.command('notifications.clearAll');
  });

  test('Deploy Cluster… over the volumes of a deleted cluster asks before it reuses them', async () => {
    const deleted = await vscode.command<Result>('redisCluster.delete', {
      ...{ cluster, volumes: false, confirmed: true },
    });
    assert.equal(deleted.outcome, 'done', deleted.message);
    const { context, namespace } = cluster;
    const pending = vscode.command<Result>('redisCluster.deploy', { context, namespace });
    await asked(/Name of the cluster/);
    await vscode.typeInput(cluster.name);
    await asked(/Select overlays/);
    await vscode.pickMany([]);
    await asked(/masters × replicas/);
    await vscode.typeInput('3 x 1');
    await asked(/Volume size/);
    await vscode.typeInput('1Gi');
    assert.match(await dialog(), /earlier cluster/);
    await picture('reuse-volumes');
    await vscode.pressDialog('Reuse Volumes');
    assert.match(await dialog(), /are reused/);
    await picture('reuse-volumes-plan');
    await vscode.pressDialog('Deploy');
    const deployed = await pending;
    assert.equal(deployed.outcome, 'done', deployed.message);
  });
});
