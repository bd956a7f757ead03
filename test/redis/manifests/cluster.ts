import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnView } from './ownView.ts';
import type { SimulatedPods } from './simulatedPods.ts';

export const keysThat = { areWritten: 300 } as const;

export async function startAll(pods: SimulatedPods, from: number, to: number): Promise<void> {
  for (let ordinal = from; ordinal < to; ordinal++) await pods.start(ordinal);
}

export async function writeKeys(pods: SimulatedPods, prefix = 'key', through = 0): Promise<void> {
  const commands = Array.from({ length: keysThat.areWritten }, (_, i) => `SET ${prefix}:${i} ${i}`);
  const lines = (await pods.ask(through, ['-c'], `${commands.join('\n')}\n`)).trim().split('\n');
  assert.equal(lines.filter((answer) => answer === 'OK').length, keysThat.areWritten);
  await recorded(pods);
}

/**
 * Until what was written so far is in the append-only files (a server keeps it in memory for up to two seconds while
 * the disk is busy), and each agent, which does so every few seconds, has noted how far its copy has come: what a pod
 * that dies sooner holds is less, and whose copy it is nobody knows.
 */
async function recorded(pods: SimulatedPods): Promise<void> {
  const all = pods.ordinals();
  const field = (info: string, name: string): number =>
    Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1] ?? 0);
  const offsets = await Promise.all(
    all.map(async (ordinal) => field(await pods.ask(ordinal, ['INFO', 'replication']), 'master_repl_offset')),
  );
  const isRecorded = async (ordinal: number, offset: number): Promise<boolean> => {
    if (field(await pods.ask(ordinal, ['INFO', 'persistence']), 'aof_buffer_length') > 0) return false;
    const progress = await readFile(join(pods.folder(ordinal), 'data', '.progress'), 'utf8').catch(() => '');
    return progress !== '' && field(progress, '[0-9a-f]+') >= offset;
  };
  await until(async () => {
    const done = await Promise.all(all.map((ordinal, index) => isRecorded(ordinal, offsets[index] ?? 0)));
    return done.includes(false) ? undefined : true;
  });
}

/** How many of the keys that writeKeys wrote are there. */
export async function readKeys(pods: SimulatedPods, through: number, prefix = 'key'): Promise<number> {
  const commands = Array.from({ length: keysThat.areWritten }, (_, i) => `GET ${prefix}:${i}`);
  const lines = (await pods.ask(through, ['-c'], `${commands.join('\n')}\n`)).trim().split('\n');
  const answers = lines.filter((line) => !line.startsWith('-> Redirected'));
  return answers.filter((answer, i) => answer === String(i)).length;
}

export function mastersOf(views: readonly OwnView[]): readonly OwnView[] {
  return views.filter((view) => view.slots.length > 0);
}

export function replicaCounts(views: readonly OwnView[]): readonly number[] {
  return mastersOf(views).map((master) => views.filter((view) => view.masterId === master.id).length);
}

export function masterOrdinalOf(views: readonly OwnView[], ordinal: number): number | undefined {
  const masterId = views.find((view) => view.ordinal === ordinal)?.masterId;
  return views.find((view) => view.id === masterId)?.ordinal;
}

export async function replicaOf(pods: SimulatedPods, ordinal: number): Promise<number> {
  const views = await pods.ownViews();
  const replica = views.find((view) => masterOrdinalOf(views, view.ordinal) === ordinal);
  assert.ok(replica, `pod ${ordinal} has no replica`);
  return replica.ordinal;
}

/** Every node agrees that all slots are served and that there are that many nodes, and where; gossip takes a moment. */
export async function settled(pods: SimulatedPods, count: number, seconds = 30): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const views = await pods.ownViews();
    const infos = await Promise.all(views.map(({ ordinal }) => pods.ask(ordinal, ['CLUSTER', 'INFO'])));
    const lost = views.flatMap(({ withoutAddress }) => withoutAddress);
    const bad = infos.filter(
      (info) =>
        !info.includes('cluster_slots_ok:16384\r') || !info.includes(`cluster_known_nodes:${count}\r`),
    );
    if (views.length === count && bad.length === 0 && lost.length === 0) return;
    if (performance.now() > end)
      assert.fail(`not one cluster of ${count} nodes: ${[...bad, ...lost].join('\n')}`);
    await sleep(250);
  }
}

/** Looks twice a second, or as often as is said, until there is something. */
export async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  seconds = 90,
  every = 500,
): Promise<T> {
  for (const end = performance.now() + seconds * 1000; ;) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(performance.now() < end, `nothing within ${seconds} s`);
    await sleep(every);
  }
}
