import { UserError } from '../../src/model/errors.ts';
import type { SlotSet } from '../../src/model/slots.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import type { SimNode } from './node.ts';
import { portsFor } from './ports.ts';
import { masterOf, ownerOf, shape, type Operation, type Scenario } from './scenario.ts';
import { snapshotOf } from './snapshot.ts';
import { redis7, valkey8, type World } from './world.ts';

/** Moves the first `count` slots from the first shard to the second, whoever serves these then. */
export function reshard(count: number, pace: 'gentle' | 'fast' = 'fast'): Operation {
  const wanted: SlotSet = [[0, count - 1]];
  const isReached = (world: World): boolean => {
    const owners = world.units.slice(0, count).map((_, unit) => ownerOf(world, unit));
    return owners.every((owner) => owner?.home === 1);
  };
  return {
    isReached,
    run: async (world, dialer, signal) => {
      const snapshot = snapshotOf(world);
      const target = targetFor(world, count);
      const from = sourcesFor(world, count, target);
      if (from.length === 0 && isReached(world)) return;
      if (target === undefined) throw new UserError('not-found', 'The second shard has no master now.');
      try {
        const plan = planReshard(snapshot, { from, to: target.id, slots: wanted });
        const steps = plan.steps.map((step) => (step.kind === 'moveSlots' ? { ...step, pace } : step));
        await runPlan({ ...plan, steps }, portsFor(world, dialer, signal));
      } catch (error) {
        // A reshard that an interrupted one has finished all but for its last answer has nothing left to do.
        if (error instanceof UserError && error.message.includes('already owns slots') && isReached(world))
          return;
        throw error;
      }
    },
  };
}

/** Where a person would go on: with the node of the second shard that a move under way leads to, or its master. */
function targetFor(world: World, count: number): SimNode | undefined {
  const leads = world.nodes.filter(({ alive, role, home, importing }) => {
    return alive && role === 'master' && home === 1 && [...importing.keys()].some((slot) => slot < count);
  });
  return leads[0] ?? masterOf(world, 1);
}

/** All that own some of the slots or have them open, and the first shard's master. */
function sourcesFor(world: World, count: number, target: SimNode | undefined): readonly string[] {
  return world.nodes
    .filter((node) => {
      const owns = node.owners.slice(0, count).includes(node.id);
      const isOpen = [...node.migrating.keys()].some((slot) => slot < count);
      const isSource = owns || isOpen || node === masterOf(world, 0);
      return node.alive && node.role === 'master' && node !== target && isSource;
    })
    .map(({ id }) => id);
}

export const reshardScenarios: readonly Scenario[] = [redis7, valkey8].flatMap((flavour) => [
  {
    name: `${flavour.product}: a slot that moves gently`,
    shape: shape(flavour, 1, true),
    keys: [3],
    writes: 4,
    timeouts: 0,
    operation: reshard(1, 'gentle'),
  },
  {
    name: `${flavour.product}: two of a master's slots`,
    shape: shape(flavour, 2, true),
    keys: [3, 2],
    writes: 5,
    timeouts: 0,
    operation: reshard(2),
  },
  {
    name: `${flavour.product}: a slot whose MIGRATE times out`,
    shape: shape(flavour, 1, true),
    keys: [3],
    writes: 4,
    timeouts: 1,
    operation: reshard(1),
  },
  {
    name: `${flavour.product}: all of a master's slots`,
    shape: shape(flavour, 2, false),
    keys: [2, 2],
    writes: 4,
    timeouts: 0,
    operation: reshard(2),
  },
]);
