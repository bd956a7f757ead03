import * as vscode from 'vscode';
import {
  describeRef,
  formatAddress,
  isKubernetesRef,
  parseAddress,
  type AddressClusterRef,
  type ClusterRef,
} from '../../model/clusterRef.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import { isUnformed } from '../../model/unformed.ts';
import { planForm, usualMasters } from '../../operations/form.ts';
import { readFormServers } from '../../operations/forming/readServers.ts';
import { refuseOperated } from '../../operations/refusals/refuseOperated.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { namesCluster, numberAnswer, picked, readClusters } from '../questions/target.ts';

/** Makes a cluster of empty servers that never formed one: pods of any workload, or servers by their addresses. */
export async function form(parts: Parts, argument: unknown): Promise<Outcome> {
  const asking = new Asking(parts, argument);
  const { answers } = asking;
  const isNamed = namesCluster(parts, argument);
  const ref = isNamed ? await asking.cluster() : await asking.or(undefined, () => pickServers(parts));
  const snapshot = await parts.inventory.fresh(ref);
  if (isKubernetesRef(ref)) {
    await refuseOperated(await parts.inventory.access(ref.context), ref.namespace, snapshot.workloads);
  }
  const dialer = await parts.inventory.dialer(ref);
  const facts = await readFormServers(snapshot, dialer, await parts.adapters.redis());
  const replicasPerMaster = numberAnswer(answers, 'replicasPerMaster');
  const given = numberAnswer(answers, 'masters');
  // Servers that cannot form a cluster are named before anything is asked.
  const { title } = planForm(snapshot, {}, facts);
  const isScript = Object.keys(answers).length > 0 && isNamed;
  const ask = (): Promise<number> => askMasters(title, facts.servers.length);
  const masters = isScript ? given : await asking.or(given, ask);
  const request = {
    ...(masters === undefined ? {} : { masters }),
    ...(replicasPerMaster === undefined ? {} : { replicasPerMaster }),
  };
  const plan = planForm(snapshot, request, facts);
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Form Cluster',
    message: ({ seconds, cancelled }) =>
      cancelled
        ? 'The servers do not form a complete cluster yet'
        : `Formed a cluster of ${quantity(facts.servers.length, 'node')} in ${seconds.toFixed(1)} s: ${describeRef(ref)}`,
  });
}

async function pickServers(parts: Parts): Promise<ClusterRef> {
  const known = readClusters(parts).filter(isUnformed);
  if (known.length === 0) return askAddresses();
  const items = known.map(({ name, ref }) => ({ label: name, description: describeRef(ref), ref }));
  const other = { label: 'Servers by address…', description: '', ref: undefined };
  const options = { title: 'Form Cluster', placeHolder: 'Select the servers' };
  const { ref } = await picked(vscode.window.showQuickPick([...items, other], options));
  return ref ?? (await askAddresses());
}

function readAddresses(text: string): AddressClusterRef {
  const addresses = text.split(',').map((one) => formatAddress(parseAddress(one)));
  if (addresses.length >= 3) return { addresses };
  throw new UserError('invalid-input', 'Enter the addresses of at least three servers.');
}

async function askAddresses(): Promise<AddressClusterRef> {
  const text = vscode.window.showInputBox({
    title: 'Form Cluster',
    prompt: 'Addresses of all servers, by which they also reach each other, separated by commas',
    placeHolder: '10.0.0.1:6379,10.0.0.2:6379,10.0.0.3:6379',
    ignoreFocusOut: true,
    validateInput: (value) => {
      try {
        readAddresses(value);
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    },
  });
  return readAddresses(await picked(text));
}

async function askMasters(title: string, servers: number): Promise<number> {
  const text = vscode.window.showInputBox({
    title,
    prompt: `Number of masters, from 3 to ${servers}. The other servers become their replicas.`,
    value: String(usualMasters(servers)),
    ignoreFocusOut: true,
    validateInput: (value) =>
      /^\d+$/.test(value) && Number(value) >= 3 && Number(value) <= servers
        ? undefined
        : `Enter a number from 3 to ${servers}.`,
  });
  return Number(await picked(text));
}
