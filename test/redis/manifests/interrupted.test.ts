import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { replicaCounts, settled, startAll, until } from './cluster.ts';
import { simulatePods } from './simulatedPods.ts';

const rounds = 5;

test('pods killed at random moments of the formation, some without their volumes, names known late: one cluster', async (t) => {
  const below = (limit: number): number => Math.floor(Math.random() * limit);
  for (let round = 0; round < rounds; round++) {
    const pods = await simulatePods({ nameDelay: () => below(2) * below(2000), env: { LOOK_EVERY: '3' } });
    const story: string[] = [];
    try {
      await startAll(pods, 0, 6);
      for (let kill = 0; kill < 3; kill++) {
        const moment = below(1500);
        await sleep(moment);
        const victim = below(6);
        const loses = below(3) === 0;
        story.push(`${moment} ms: pod ${victim}${loses ? ' and its volume' : ''}`);
        await pods.kill(victim);
        if (loses) await pods.loseVolume(victim);
        await pods.start(victim, 20 + kill);
      }
      t.diagnostic(`${story.join(', ')}: whole in ${(await pods.allReady(90)).toFixed(1)} s`);
      // A lost node that one pod still passes on when the others have forgotten it goes a minute later.
      await settled(pods, 6, 150);
      // Where a restart has left 0, 1 and 2 replicas, the pods even that out at their next looks.
      await until(
        async () => (String(replicaCounts(await pods.ownViews())) === '1,1,1' ? true : undefined),
        60,
      );
    } catch (error) {
      const logs = [0, 1, 2, 3, 4, 5].map((ordinal) => pods.agentLog(ordinal)).join('');
      throw new Error(`${story.join(', ')}\n${logs}`, { cause: error });
    } finally {
      await pods.dispose();
    }
  }
});

for (const victims of [[1], [1, 2]]) {
  test(`a formation goes on where ${victims.length} masters lose their volumes just as their replicas are named`, async (t) => {
    const pods = await simulatePods({ env: { LOOK_EVERY: '3' } });
    try {
      await startAll(pods, 0, 6);
      await until(() => (pods.agentLog(0).includes(': forming ') ? true : undefined), 90, 10);
      // Their replicas are told to follow them, and hardly anybody has heard of their slots or their names.
      await sleep(650);
      await Promise.all(
        victims.map(async (victim) => {
          await pods.kill(victim);
          await pods.loseVolume(victim);
          await pods.start(victim, 20 + victim);
        }),
      );
      t.diagnostic(`whole in ${(await pods.allReady(60)).toFixed(1)} s`);
      await settled(pods, 6, 60);
    } catch (error) {
      throw new Error(
        pods
          .ordinals()
          .map((ordinal) => pods.agentLog(ordinal))
          .join(''),
        { cause: error },
      );
    } finally {
      await pods.dispose();
    }
  });
}
