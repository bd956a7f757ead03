import { hostNameOf } from '../../inventory/signIn.ts';
import { quantity } from '../../model/quantity.ts';
import * as vscode from 'vscode';
import { clusterKey, formatAddress, parseAddress, type AddressClusterRef } from '../../model/clusterRef.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Credentials } from '../../redis/nodeConnection.ts';
import { askReach, keepReach } from '../questions/askReach.ts';
import type { Parts } from '../parts.ts';
import { revealNew } from '../revealNew.ts';
import { readSettings, saveAddresses } from '../settings.ts';
import { credentialsIn } from '../signIn/answers.ts';
import { askSignIn } from '../signIn/askSignIn.ts';
import { answersOf, picked } from '../questions/target.ts';

const addTitle = 'Add Cluster by Address';

/**
 * Adds a cluster outside Kubernetes by the address of one or more of its nodes. It is kept only if a node answers; who
 * is asked for an address is asked what to sign in with where the servers want that. It goes to the editor's secret
 * storage.
 */
export async function addByAddress(
  parts: Parts,
  argument: unknown,
): Promise<Outcome & { cluster: AddressClusterRef }> {
  const answers = answersOf(parts, argument);
  const given = answers['addresses'];
  const isPerson = given === undefined;
  const ref = isPerson ? await askAddresses() : refOf(given);
  const nodes = await signedIn(parts, ref, await credentialsIn(answers), isPerson);
  const entry = ref.addresses.join(',');
  const { addresses } = readSettings();
  if (!addresses.includes(entry)) await saveAddresses([...addresses, entry]);
  await parts.reloadSources();
  if (isPerson) await keepReach(parts, ref, await askReach(parts, ref));
  void revealNew(parts, ref, isPerson);
  return {
    outcome: 'done',
    message: `Added ${clusterKey(ref).replace('address/', '')}: ${quantity(nodes, 'node')}.`,
    cluster: ref,
  };
}

/** How many nodes were read. Nothing stays stored where none could be. */
async function signedIn(
  parts: Parts,
  ref: AddressClusterRef,
  given: Credentials,
  isPerson: boolean,
): Promise<number> {
  const { inventory, passwords } = parts;
  try {
    const credentials = await inventory.trySignIn(ref, given).then(
      () => given,
      async (error: unknown) => {
        if (!isPerson || !isAskedAgain(error)) throw error;
        const attempt = (answer: Credentials): Promise<void> => inventory.trySignIn(ref, answer);
        return askSignIn({ title: addTitle, host: hostNameOf(ref) ?? '', problem: error, attempt });
      },
    );
    if (Object.keys(credentials).length === 0) await passwords.forget(ref);
    else await passwords.store(ref, credentials);
    await inventory.reconnect(ref);
    return (await inventory.fresh(ref)).nodes.length;
  } catch (error) {
    await passwords.forget(ref);
    await parts.reloadSources();
    throw error;
  }
}

function isAskedAgain(error: unknown): error is UserError {
  return error instanceof UserError && ['sign-in-needed', 'tls', 'forbidden'].includes(error.reason);
}

function refOf(given: unknown): AddressClusterRef {
  const list = Array.isArray(given) ? given.map(String) : String(given).split(',');
  if (list.length === 0) throw new UserError('invalid-input', 'No address given. Enter host:port.');
  return { addresses: list.map((address) => formatAddress(parseAddress(address))) };
}

async function askAddresses(): Promise<AddressClusterRef> {
  const text = await picked(
    vscode.window.showInputBox({
      title: addTitle,
      prompt: 'Addresses of one or more nodes, separated by commas',
      placeHolder: '127.0.0.1:6379',
      ignoreFocusOut: true,
      validateInput: (value) => {
        try {
          refOf(value);
          return undefined;
        } catch (error) {
          return messageOf(error);
        }
      },
    }),
  );
  return refOf(text);
}
