import * as vscode from 'vscode';
import { formatAddress, parseAddress, type AddressClusterRef } from '../../model/clusterRef.ts';
import { messageOf } from '../../model/errors.ts';
import { unreachedAddresses } from '../../model/unreached.ts';
import type { Parts } from '../parts.ts';
import { readSettings, saveAddressMap, type Settings } from '../settings.ts';

type AddressMap = Settings['addressMap'];

/**
 * Asks where this machine reaches nodes that announce addresses which lead nowhere from here. Whoever dismisses a question
 * is asked no more; what was answered until then is returned.
 */
export async function askReach({ inventory }: Parts, ref: AddressClusterRef): Promise<AddressMap> {
  const unreached = unreachedAddresses(await inventory.look(ref));
  const { host } = parseAddress(ref.addresses[0] ?? '127.0.0.1:6379');
  const { addressMap } = readSettings();
  // As behind a port mapping of one machine; nothing is proposed where that is what does not answer.
  const atFirst = (address: string): string => {
    const mapped = formatAddress({ host, port: parseAddress(address).port });
    return mapped === address ? '' : mapped;
  };
  const answers: [string, string][] = [];
  for (const [index, address] of unreached.entries()) {
    const answer = await vscode.window.showInputBox({
      title: `Reach ${address} as… (${index + 1} of ${unreached.length})`,
      prompt: `A node announces ${address}, which does not answer here. Enter the address at which this machine reaches it, or leave it empty to skip.`,
      value: addressMap[address] ?? atFirst(address),
      placeHolder: '127.0.0.1:6379',
      ignoreFocusOut: true,
      validateInput: (value) => (value.trim() === '' ? undefined : problemOf(value)),
    });
    if (answer === undefined) break;
    if (answer.trim() !== '') answers.push([address, formatAddress(parseAddress(answer))]);
  }
  return Object.fromEntries(answers);
}

/** Adds to the setting redisCluster.addressMap, and dials the nodes again. */
export async function keepReach(
  { inventory }: Parts,
  ref: AddressClusterRef,
  added: AddressMap,
): Promise<void> {
  if (Object.keys(added).length === 0) return;
  await saveAddressMap({ ...readSettings().addressMap, ...added });
  await inventory.reconnect(ref);
}

function problemOf(value: string): string | undefined {
  try {
    parseAddress(value);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
