import {
  formatAddress,
  isKubernetesRef,
  parseAddress,
  type AddressClusterRef,
} from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import { unreachedAddresses } from '../../model/unreached.ts';
import { askReach, keepReach } from '../questions/askReach.ts';
import type { Parts } from '../parts.ts';
import { answersOf, clusterOf } from '../questions/target.ts';

/** Keeps where this machine reaches the nodes of a cluster whose announced addresses lead nowhere from here. */
export async function reachNodes(
  parts: Parts,
  argument: unknown,
): Promise<Outcome & { cluster: AddressClusterRef }> {
  const { inventory } = parts;
  const given = answersOf(parts, argument)['addressMap'];
  const ref = await clusterOf(parts, argument);
  if (isKubernetesRef(ref)) {
    throw new UserError(
      'invalid-input',
      `${ref.name} is in Kubernetes, where nodes are reached through their pods. Nothing was changed.`,
    );
  }
  const title = inventory.titleOf(ref);
  if (given === undefined && unreachedAddresses(await inventory.fresh(ref)).length === 0) {
    throw new UserError(
      'nothing-to-do',
      `Every node of ${title} that other nodes are connected to answers here. Nothing was changed.`,
    );
  }
  const added = given === undefined ? await askReach(parts, ref) : mapIn(given);
  const count = Object.keys(added).length;
  if (count === 0)
    return { outcome: 'cancelled', message: 'No address was entered. Nothing was changed.', cluster: ref };
  await keepReach(parts, ref, added);
  const { nodes } = await inventory.fresh(ref);
  const answered = nodes.filter(({ view }) => view !== undefined).length;
  return {
    outcome: 'done',
    message: `Changed the setting redisCluster.addressMap for ${quantity(count, 'node')}. ${title}: ${answered} of ${quantity(nodes.length, 'node')} answered.`,
    cluster: ref,
  };
}

function mapIn(given: unknown): Readonly<Record<string, string>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UserError(
      'invalid-input',
      'addressMap is an object from announced addresses to those at which this machine reaches them.',
    );
  }
  const address = (text: unknown): string => formatAddress(parseAddress(String(text)));
  return Object.fromEntries(Object.entries(given).map(([from, to]) => [address(from), address(to)]));
}
