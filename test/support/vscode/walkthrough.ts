import assert from 'node:assert/strict';
import type { VSCodeUnderTest } from '../launchVSCode.ts';
import { personAt } from './person.ts';

const id = 'kubernetes-redis-cluster.kubernetes-redis-cluster#start';

/** Takes the walkthrough's steps on the sandbox as a user does, within these limits until slots have moved. */
export async function followWalkthrough(
  vscode: VSCodeUnderTest,
  { mostClicks, mostSeconds }: { readonly mostClicks: number; readonly mostSeconds: number },
): Promise<void> {
  const { picture } = personAt(() => vscode);
  await vscode.command('workbench.action.openWalkthrough', id);
  const walkthrough = vscode.page.locator('.gettingStartedContainer');
  const stepOf = (title: string) => walkthrough.locator('.getting-started-step').filter({ hasText: title });
  let clicks = 0;
  const click = async (name: string): Promise<void> => {
    await walkthrough.getByRole('button', { name, exact: true }).click();
    clicks += 1;
  };
  /** The next step may be open already. */
  const select = async (title: string): Promise<void> => {
    if ((await stepOf(title).getAttribute('aria-expanded')) === 'true') return;
    await stepOf(title).locator('.step-title').click();
    clicks += 1;
  };
  const isDone = (title: string): Promise<void> =>
    stepOf(title).locator('.codicon.complete').waitFor({ timeout: 30_000 });

  await walkthrough.getByText('Start a sandbox').waitFor();
  await picture('walkthrough-sandbox');
  const began = performance.now();
  await click('Start Sandbox');
  await isDone('Start a sandbox');
  await select('Open the slot map');
  await vscode.screenshot('walkthrough-map-dark');
  await click('Open Slot Map');
  await isDone('Open the slot map');
  await select('Move 1,000 slots and watch');
  await click('Move 1,000 Slots');
  // Half a second later they have moved: whoever looks may come too late to see them on the way.
  await isDone('Move 1,000 slots and watch');
  const seconds = (performance.now() - began) / 1000;
  console.log(`slots have moved after ${clicks} clicks and ${seconds.toFixed(1)} s`);
  assert.ok(clicks <= mostClicks, `${clicks} clicks`);
  assert.ok(seconds <= mostSeconds, `${seconds} s`);

  await select('Check the cluster');
  await picture('walkthrough-check');
  await click('Check Cluster');
  await vscode.page.getByRole('tab', { name: /^Check – Sandbox/ }).waitFor();
  await vscode.page.getByRole('tab', { name: 'Welcome' }).click();
  await isDone('Check the cluster');
  await select('Connect your cluster');
  await picture('walkthrough-connect');
  const done = walkthrough.locator('.getting-started-step .codicon.complete');
  assert.equal(await done.count(), 4, 'only a cluster of your own is left to connect');
  await vscode.command('workbench.action.closeAllEditors');
  await vscode.command('workbench.action.closeAllGroups');
}
