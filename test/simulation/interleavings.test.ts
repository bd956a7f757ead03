import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Explored } from './explore.ts';
import type { Fault } from './runState.ts';

/** SIMULATION_SEED starts elsewhere, SIMULATION_COUNT goes on for longer, SIMULATION_REPLAY shows one interleaving. */
const seed = Number(process.env['SIMULATION_SEED'] ?? 1);
const wanted = Number(process.env['SIMULATION_COUNT'] ?? 100_000);
const replay = process.env['SIMULATION_REPLAY'];

test('no interleaving of steps, crashes and failovers loses an acknowledged key or leaves a slot open', async (t) => {
  if (replay !== undefined) {
    await show(replay);
    return;
  }
  const threads = Math.min(4, availableParallelism());
  const started = performance.now();
  const parts = await Promise.all(
    Array.from({ length: threads }, (_, index) =>
      exploreIn(seed + index, threads, Math.ceil(wanted / threads)),
    ),
  );
  const distinct = new Set(parts.flatMap((part) => [...part.distinct]));
  const sum = (figure: 'runs' | 'events' | 'attempts' | 'unreplicated' | 'hidden' | 'leftovers'): string =>
    parts.reduce((total, part) => total + part[figure], 0).toLocaleString('en-US');
  const faults = new Map<string, number>();
  for (const part of parts) {
    for (const [kind, count] of part.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
  }
  t.diagnostic(
    `seed ${seed}: ${distinct.size.toLocaleString('en-US')} different interleavings in ${sum('runs')} runs, ${sum('events')} events, ${((performance.now() - started) / 1000).toFixed(1)} s on ${threads} threads`,
  );
  t.diagnostic(
    `faults: ${[...faults].map(([kind, count]) => `${count.toLocaleString('en-US')} × ${kind}`).join(', ')}`,
  );
  t.diagnostic(
    `lost with a server before it was replicated: ${sum('unreplicated')}; reads that missed moved keys until the move went on: ${sum('hidden')}; copies left behind after a server's death: ${sum('leftovers')} slots`,
  );
  const problems = parts.flatMap((part) => part.problems);
  assert.equal(
    problems.length,
    0,
    `SIMULATION_REPLAY='…' shows one of:\n${problems.slice(0, 10).join('\n')}`,
  );
  assert.ok(distinct.size >= wanted * 0.99, `${distinct.size} different interleavings`);
});

async function exploreIn(first: number, step: number, enough: number): Promise<Explored> {
  const worker = new Worker(join(import.meta.dirname, 'exploreWorker.ts'), {
    workerData: { first, step, enough },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Explored>();
  worker.once('message', resolve);
  worker.once('error', reject);
  return await promise.finally(() => worker.terminate());
}

async function show(text: string): Promise<void> {
  const [{ simulate }, { scenarios }] = await Promise.all([import('./run.ts'), import('./scenarios.ts')]);
  const { scenario: name, ...rest } = JSON.parse(text) as { scenario: string; seed: number; faults: Fault[] };
  const scenario = scenarios.find((candidate) => candidate.name === name);
  assert.ok(scenario !== undefined, `there is no scenario "${name}"`);
  const { trace, problems } = await simulate({ scenario, ...rest }, true);
  console.log([...trace, ...problems].join('\n'));
  assert.deepEqual(problems, []);
}
