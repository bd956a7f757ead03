import { quantity } from '../../model/quantity.ts';
import * as vscode from 'vscode';
import { formatAddress, isKubernetesRef, parseAddress } from '../../model/clusterRef.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { agreed } from '../../operations/servers/agreed.ts';
import { planAddShard, type NewServer } from '../../operations/addShard.ts';
import { Asking } from '../questions/asking.ts';
import { moveOptionsIn } from '../questions/moveOptions.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { shapeFactsOf } from '../shapeFacts.ts';
import { numberAnswer, picked, type Answers } from '../questions/target.ts';

/** Milliseconds for asking servers whether they are empty. */
const times = { connectTimeoutMs: 5_000, commandTimeoutMs: 10_000 };

/** Adds a master with its replicas, and moves its share of the slots to it. */
export async function addShard(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const ref = await asking.cluster();
  const snapshot = await toChange(parts, argument, await agreed(() => parts.inventory.fresh(ref)));
  const { answers } = asking;
  const options = moveOptionsIn(answers);
  const replicas = numberAnswer(answers, 'replicas');
  const isInPods = isKubernetesRef(snapshot.ref);
  const addresses = isInPods
    ? undefined
    : await asking.or(addressesIn(answers), () => askAddresses(snapshot));
  const servers = addresses === undefined ? [] : await askServers(parts, snapshot, addresses);
  const facts = { ...(await shapeFactsOf(parts, snapshot, false)), servers };
  const request = {
    ...(replicas === undefined ? {} : { replicas }),
    ...(addresses === undefined ? {} : { addresses }),
    ...options,
  };
  const plan = planAddShard(snapshot, request, facts);
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Add Shard',
    message: ({ movedSlots, movedKeys, seconds }) =>
      `Moved ${quantity(movedSlots, 'slot')} with ${quantity(movedKeys, 'key')} to the new shard in ${seconds.toFixed(1)} s`,
  });
}

function addressesIn(answers: Answers): readonly string[] | undefined {
  const given = answers['addresses'];
  if (given === undefined || answers['cluster'] === undefined) return undefined;
  if (Array.isArray(given) || typeof given === 'string') return readAddresses(String(given));
  throw new UserError('invalid-input', '"addresses" must be a list of "host:port".');
}

function readAddresses(text: string): readonly string[] {
  return text.split(',').map((one) => formatAddress(parseAddress(one)));
}

async function askAddresses({ name }: ClusterSnapshot): Promise<readonly string[]> {
  const options = {
    title: `Add Shard to ${name}`,
    prompt: 'Addresses of empty servers: the new master first, then its replicas',
    placeHolder: '10.0.0.7:6379,10.0.0.8:6379',
    ignoreFocusOut: true,
    validateInput: (value: string) => {
      try {
        readAddresses(value);
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    },
  };
  return readAddresses(await picked(vscode.window.showInputBox(options)));
}

/** Each server's own word; the members have to reach it by the address given here. */
async function askServers(
  parts: Parts,
  { ref }: ClusterSnapshot,
  addresses: readonly string[],
): Promise<readonly NewServer[]> {
  const { connectNode, readNodeView } = await parts.adapters.redis();
  const { credentials } = await parts.inventory.dialer(ref);
  return await Promise.all(
    addresses.map(async (address): Promise<NewServer> => {
      const { host, port } = parseAddress(address);
      const connection = await connectNode({ host, port }, credentials, times);
      const { self, others, keys } = await readNodeView(connection).finally(() => {
        connection.close();
      });
      const { id, busPort, slots } = self;
      return { address, id, host, port, busPort, keys, slots: slots.length, others: others.length };
    }),
  );
}
