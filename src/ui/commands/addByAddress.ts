import { quantity } from '../../model/quantity.ts';
import * as vscode from 'vscode';
import { clusterKey, formatAddress, parseAddress, type AddressClusterRef } from '../../model/clusterRef.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Credentials } from '../../redis/nodeConnection.ts';
import type { Parts } from '../parts.ts';
import { revealNew } from '../revealNew.ts';
import { readSettings, saveAddresses } from '../settings.ts';
import { answersOf, picked, textAnswer, type Answers } from '../target.ts';

/**
 * Adds a cluster outside Kubernetes by the address of one or more of its nodes. It is kept only if a node answers;
 * its password goes to the editor's secret storage.
 */
export async function addByAddress(
  parts: Parts,
  argument: unknown,
): Promise<Outcome & { cluster: AddressClusterRef }> {
  const answers = answersOf(parts, argument);
  const given = answers['addresses'];
  const ref = given === undefined ? await askAddresses() : refOf(given);
  const credentials = given === undefined ? await askCredentials() : credentialsIn(answers);
  await parts.passwords.store(ref, credentials);
  let name: string;
  try {
    const snapshot = await parts.inventory.fresh(ref);
    name = quantity(snapshot.nodes.length, 'node');
  } catch (error) {
    await parts.passwords.forget(ref);
    await parts.reloadSources();
    throw error;
  }
  const entry = ref.addresses.join(',');
  const { addresses } = readSettings();
  if (!addresses.includes(entry)) await saveAddresses([...addresses, entry]);
  await parts.reloadSources();
  void revealNew(parts, ref, given === undefined);
  return {
    outcome: 'done',
    message: `Added ${clusterKey(ref).replace('address/', '')}: ${name}.`,
    cluster: ref,
  };
}

function refOf(given: unknown): AddressClusterRef {
  const list = Array.isArray(given) ? given.map(String) : String(given).split(',');
  if (list.length === 0) throw new UserError('invalid-input', 'No address given. Enter host:port.');
  return { addresses: list.map((address) => formatAddress(parseAddress(address))) };
}

function credentialsIn(answers: Answers): Credentials {
  const username = textAnswer(answers, 'username');
  const password = textAnswer(answers, 'password');
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

async function askAddresses(): Promise<AddressClusterRef> {
  const text = await picked(
    vscode.window.showInputBox({
      title: 'Add Cluster by Address',
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

async function askCredentials(): Promise<Credentials> {
  const password = await picked(
    vscode.window.showInputBox({
      title: 'Add Cluster by Address',
      prompt: 'Password, or empty if there is none. It is kept in VS Code’s secret storage.',
      password: true,
      ignoreFocusOut: true,
    }),
  );
  return password === '' ? {} : { password };
}
