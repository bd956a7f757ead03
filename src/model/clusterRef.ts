import { UserError } from './errors.ts';

/** A cluster in Kubernetes. `name` is its StatefulSet's, or for a cluster of several the name its tree row shows. */
export interface KubernetesClusterRef {
  readonly context: string;
  readonly namespace: string;
  readonly name: string;
}

/** A cluster reached by the addresses of some of its nodes, each `host:port`. */
export interface AddressClusterRef {
  readonly addresses: readonly string[];
}

/** What names a cluster in commands, key bindings, tasks and state: plain JSON. */
export type ClusterRef = KubernetesClusterRef | AddressClusterRef;

export function isKubernetesRef(ref: ClusterRef): ref is KubernetesClusterRef {
  return 'context' in ref;
}

/** One text per cluster, stable over sessions: used as map key, tree id and panel id. */
export function clusterKey(ref: ClusterRef): string {
  return isKubernetesRef(ref)
    ? `kubernetes/${ref.context}/${ref.namespace}/${ref.name}`
    : `address/${ref.addresses.join(',')}`;
}

/** How dialogs and results name the cluster a change is about: context and namespace are never left out. */
export function describeRef(ref: ClusterRef): string {
  if (isKubernetesRef(ref)) return `${ref.name} (context ${ref.context}, namespace ${ref.namespace})`;
  const [first = '', ...others] = ref.addresses;
  return others.length > 1 ? `${first} and ${others.length} others` : ref.addresses.join(', ');
}

/** Reads a command's `cluster` argument. Throws a UserError that says the expected form. */
export function parseClusterRef(value: unknown): ClusterRef {
  if (typeof value === 'object' && value !== null) {
    if ('context' in value && 'namespace' in value && 'name' in value) {
      const { context, namespace, name } = value;
      if (typeof context === 'string' && typeof namespace === 'string' && typeof name === 'string') {
        return { context, namespace, name };
      }
    }
    if ('addresses' in value && Array.isArray(value.addresses) && value.addresses.length > 0) {
      return { addresses: value.addresses.map((address) => formatAddress(parseAddress(String(address)))) };
    }
  }
  throw new UserError(
    'invalid-input',
    'Name a cluster by {context, namespace, name} or by {addresses: ["host:port"]}.',
  );
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port`; a bare IPv6 address may stand in brackets. Throws a UserError. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^\s]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new UserError(
      'invalid-input',
      `"${text}" is not an address. Enter host:port, for example 127.0.0.1:6379.`,
    );
  }
  return { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
}
