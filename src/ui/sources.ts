import type * as vscode from 'vscode';
import { formatAddress, parseAddress, type AddressClusterRef } from '../model/clusterRef.ts';
import { messageOf } from '../model/errors.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { AddressSource } from '../inventory/sources.ts';
import type { Adapters, Sandbox } from './parts.ts';
import type { Passwords } from './passwords.ts';
import { readSettings } from './settings.ts';

/** Where clusters are looked for: kubeconfigs, addresses and the sandbox. */
export class Sources implements vscode.Disposable {
  /** Kubeconfig files and addresses that could not be read. */
  problems: readonly { readonly file: string; readonly message: string }[] = [];
  /** Whether settings and kubeconfigs have been read: before that, none is not the same as none found. */
  isRead = false;
  readonly #adapters: Adapters;
  readonly #inventory: Inventory;
  readonly #sandbox: () => Sandbox;
  readonly #passwords: Passwords;
  readonly #read: () => void;
  #endWatch: (() => void) | undefined;
  #watched = '';
  #first: Promise<void> | undefined;

  constructor(
    adapters: Adapters,
    inventory: Inventory,
    passwords: Passwords,
    sandbox: () => Sandbox,
    read: () => void,
  ) {
    this.#adapters = adapters;
    this.#inventory = inventory;
    this.#passwords = passwords;
    this.#sandbox = sandbox;
    this.#read = read;
  }

  /** Reads once, on first need. */
  ready(): Promise<void> {
    this.#first ??= this.reload();
    return this.#first;
  }

  /** Reads settings and kubeconfigs and hands the inventory what they name; asks no cluster anything. */
  async reload(): Promise<void> {
    const settings = readSettings();
    const addresses = readAddresses(settings.addresses, this.#passwords);
    const sandbox = this.#sandbox().ref;
    // These need no kubeconfig, and are read while what reads kubeconfigs is loaded.
    this.#inventory.setAddresses([
      ...(sandbox === undefined
        ? []
        : [{ ...addressSource(sandbox, this.#passwords), name: 'Sandbox', sandbox: true }]),
      ...addresses.sources,
    ]);
    const { loadKubeconfigs, openContext, watchKubeconfigs } = await this.#adapters.kubernetes();
    const { contexts, problems } = loadKubeconfigs(settings.kubeconfigs);
    this.problems = [...problems, ...addresses.problems];
    this.#inventory.setContexts(
      contexts.map((context) => ({
        name: context.name,
        namespaces: settings.namespaces[context.name] ?? [],
        fingerprint: JSON.stringify(context),
        open: () => Promise.resolve(openContext(context)),
      })),
    );
    this.isRead = true;
    this.#read();
    if (this.#watched !== settings.kubeconfigs.join()) {
      this.#endWatch?.();
      this.#watched = settings.kubeconfigs.join();
      this.#endWatch = undefined;
    }
    this.#endWatch ??= watchKubeconfigs(settings.kubeconfigs, () => void this.reload());
  }

  dispose(): void {
    this.#endWatch?.();
  }
}

/** A cluster by address, with what the editor keeps for its servers. */
export function addressSource(ref: AddressClusterRef, passwords: Passwords): AddressSource {
  return {
    ref,
    name: ref.addresses[0] ?? '',
    sandbox: false,
    credentials: async () => (await passwords.stored(ref)) ?? {},
    reach: (address) => readSettings().addressMap[address] ?? address,
  };
}

function readAddresses(
  entries: readonly string[],
  passwords: Passwords,
): {
  sources: AddressSource[];
  problems: { file: string; message: string }[];
} {
  const sources: AddressSource[] = [];
  const problems: { file: string; message: string }[] = [];
  for (const entry of entries) {
    try {
      const ref: AddressClusterRef = {
        addresses: entry.split(',').map((part) => formatAddress(parseAddress(part))),
      };
      sources.push(addressSource(ref, passwords));
    } catch (error) {
      problems.push({ file: `redisCluster.addresses: ${entry}`, message: messageOf(error) });
    }
  }
  return { sources, problems };
}
