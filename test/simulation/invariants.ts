import { formatSlots } from '../../src/model/slots.ts';
import { compare, type Client } from './clients.ts';
import { slotOf } from './keys.ts';
import { unitOf, type SimNode } from './node.ts';
import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** What must hold when the operation has been carried to its end; one text for each thing that does not. */
export function violations(
  world: World,
  { operation }: Scenario,
  clients: readonly Client[],
): readonly string[] {
  const problems: string[] = [];
  for (const [unit, range] of world.units.entries()) {
    const slots = `slot ${formatSlots([range])}`;
    const owners = world.nodes.filter(({ id, role, owners }) => role === 'master' && owners[unit] === id);
    const [owner] = owners;
    if (owner === undefined || owners.length > 1) problems.push(`${slots} has ${owners.length} owners`);
    for (const node of world.nodes) {
      if (owner !== undefined && node.owners[unit] !== owner.id) {
        problems.push(`node ${node.number} sees ${slots} with ${String(node.owners[unit]).slice(0, 2)}`);
      }
      // A server that died and came back may keep copies that its new master has as well; no client reads them there.
      if (isForeign(node, unit) && !world.hasDied) {
        problems.push(`node ${node.number} holds keys of ${slots}, which is not its own`);
      }
    }
  }
  for (const { number, migrating, importing } of world.nodes) {
    if (migrating.size > 0) problems.push(`node ${number} has slots open as migrating`);
    if (importing.size > 0) problems.push(`node ${number} has slots open as importing`);
  }
  if (!operation.isReached(world)) problems.push('the operation has not reached its goal');
  return [...problems, ...lossesOf(world, clients)];
}

function isForeign(node: SimNode, unit: number): boolean {
  return node.role === 'master' && node.owners[unit] !== node.id && (node.keys[unit]?.size ?? 0) > 0;
}

export function leftoversIn(world: World): number {
  return world.nodes.reduce(
    (sum, node) => sum + world.units.filter((_, unit) => isForeign(node, unit)).length,
    0,
  );
}

function lossesOf(world: World, clients: readonly Client[]): readonly string[] {
  return clients.flatMap((client) => {
    for (const key of client.keys) {
      const unit = unitOf(world.units, slotOf(key.name));
      const owner = world.nodes.find(({ id, role, owners }) => role === 'master' && owners[unit] === id);
      compare(world, client, key, owner?.keys[unit]?.get(key.name)?.version ?? 0, 'at the end');
    }
    return client.losses.map((loss) => `lost: ${loss}`);
  });
}
