import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { simulatePods } from './simulatedPods.ts';

void test('without the password that is required a pod refuses to start, and says how to make it', async () => {
  const pods = await simulatePods({ password: '' });
  try {
    await pods.start(0);
    await sleep(1500);
    assert.match(pods.serverLog(0), /not starting: there is no password.*redis-cluster-auth/);
    assert.match(pods.serverLog(0), /kubectl -n simulated create secret generic redis-cluster-auth/);
    assert.equal(await pods.ask(0, ['PING']), '');
  } finally {
    await pods.dispose();
  }
});
