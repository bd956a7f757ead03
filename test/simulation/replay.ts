import { dyingDialer } from '../support/redis/faultyDialer.ts';
import { kill } from './failover.ts';
import { route, slotOf } from './keys.ts';
import type { SimNode } from './node.ts';
import { lastWord, type ReplayCase, type ReplayStates, type SlotState } from './replayCases.ts';
import { reshard } from './reshardScenarios.ts';
import { attempt, begin, calmDown } from './run.ts';
import type { Run } from './runState.ts';
import { keyIn, masterOf, put, shape, type Operation, type Scenario } from './scenario.ts';
import { redis7, type World } from './world.ts';

/** Lets a case happen to the simulated cluster, as calmly as it goes on a real one. */
export async function replay(one: ReplayCase): Promise<ReplayStates> {
  const base = reshard(2);
  const isLast = lastWord(one);
  const operation: Operation = {
    ...base,
    run: (world, dialer, signal) => base.run(world, dyingDialer(dialer, isLast), signal),
  };
  const run = begin({ scenario: scenarioFor(one, operation), seed: 0, faults: [] }, false);
  if (one.leftover === true) leaveOver(run.world);
  await attempt(run, true);
  strike(run, one);
  const interrupted = statesOf(run.world, one);
  const again = begin({ scenario: scenarioFor(one, base), seed: 0, faults: [] }, false);
  await attempt({ ...again, world: run.world, stage: { ...again.stage, world: run.world } }, true);
  calmDown(run);
  return { interrupted, ended: statesOf(run.world, one) };
}

function scenarioFor({ name, keys }: ReplayCase, operation: Operation): Scenario {
  return { name, shape: shape(redis7, 2, true), keys, writes: 0, timeouts: 0, operation, allKeys: true };
}

function leaveOver({ nodes }: World): void {
  const [source, target] = nodes;
  target?.importing.set(0, source?.id ?? '');
  if (target !== undefined) put(target, 0, keyIn(0, 0), { version: 0, bytes: 64 });
}

function strike(run: Run, one: ReplayCase): void {
  // What the dead tool had replicated long ago on real servers has arrived here as well.
  calmDown(run);
  if (one.kill === undefined) return;
  const dead = masterOf(run.world, one.kill === 'source' ? 0 : 1);
  if (dead !== undefined) kill(run.world, dead);
  calmDown(run);
}

const letters = ['S', 'T', 'B'];

function letterOf(world: World, id: string | undefined): string {
  const node = world.nodes.find((candidate) => candidate.id === id);
  if (node === undefined) return '?';
  const letter = letters[node.home] ?? '?';
  return node === masterOf(world, node.home) ? letter : letter.toLowerCase();
}

function statesOf(world: World, { keys }: ReplayCase): readonly SlotState[] {
  const masters = world.nodes.filter(({ role, alive }) => alive && role === 'master');
  return keys.map((count, slot) => {
    const names = Array.from({ length: count }, (_, number) => keyIn(slot, number));
    return {
      owners: masters.filter(({ owners, id }) => owners[slot] === id).map(({ id }) => letterOf(world, id)),
      open: masters.flatMap((node) => openAt(world, node, slot)),
      keys: names.map((name) =>
        masters
          .filter((node) => node.keys[slotOf(name)]?.has(name))
          .map((node) => `${letterOf(world, node.id)}${valueAt(world, node, name)}`)
          .join(' '),
      ),
    };
  });
}

/** A node that neither owns the slot nor has it open does not tell what it holds there. */
function valueAt(world: World, node: SimNode, name: string): string {
  const routing = route(world, node, name, true);
  return routing.kind === 'here' && routing.value !== undefined ? String(routing.value.version) : '';
}

function openAt(world: World, node: SimNode, slot: number): readonly string[] {
  const own = letterOf(world, node.id);
  const to = node.migrating.get(slot);
  const from = node.importing.get(slot);
  return [
    ...(to === undefined ? [] : [`${own}→${letterOf(world, to)}`]),
    ...(from === undefined ? [] : [`${own}←${letterOf(world, from)}`]),
  ];
}
