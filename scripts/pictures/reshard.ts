import { setTimeout as delay } from 'node:timers/promises';
import { animation, type Frame, still } from './encode.ts';
import { addEmptyShard, openCluster } from './shards.ts';
import type { Stage } from './stage.ts';

/** As many that moving a quarter of them takes some seconds. */
const keys = 400_000;
const slots = 4096;
const frameMs = 350;
const firstMs = 1200;
const lastMs = 2500;

/** A new shard gets a quarter of the slots, once in each theme; and one moment of that by itself. */
export async function takeReshard(stage: Stage): Promise<Readonly<Record<string, Buffer>>> {
  const { vscode, ref } = stage;
  await openCluster(stage, keys);
  const to = await addEmptyShard(stage);
  // The tree and the slot map say how far it is.
  await vscode.command('notifications.toggleDoNotDisturbMode');
  const taken: Record<string, Buffer> = {};
  for (const theme of ['dark', 'light'] as const) {
    await vscode.setTheme(theme);
    await delay(2000);
    const { frames, moment } = await film(stage, () =>
      vscode.command('redisCluster.reshard', { cluster: ref, from: 'all', to, slots, confirmed: true }),
    );
    taken[`reshard-${theme}.png`] = animation(frames);
    taken[`moving-${theme}.png`] = still(moment);
    await vscode.command('redisCluster.rebalance', {
      cluster: ref,
      weights: { [to]: 0 },
      pace: 'fast',
      confirmed: true,
    });
  }
  return taken;
}

/** What the window shows while `work` runs, and a finer picture in the middle of it. */
async function film(
  { shoot }: Stage,
  work: () => Promise<unknown>,
): Promise<{ readonly frames: readonly Frame[]; readonly moment: Buffer }> {
  const shots = [await shoot('coarse')];
  let ended: number | undefined;
  const working = work().finally(() => {
    ended = performance.now();
  });
  let moment: Buffer | undefined;
  // What is last read of the cluster is shown up to a second after the end.
  while (ended === undefined || performance.now() - ended < 2500) {
    const shot = await shoot('coarse');
    if (shots.at(-1)?.equals(shot) !== true) shots.push(shot);
    if (shots.length === 12) moment ??= await shoot();
    await delay(100);
  }
  await working;
  const frames = shots.map((png, index) => ({
    png,
    milliseconds: index === 0 ? firstMs : index === shots.length - 1 ? lastMs : frameMs,
  }));
  return { frames, moment: moment ?? (await shoot()) };
}
