import assert from 'node:assert/strict';
import { claimOf } from '../../../src/inventory/claims.ts';
import { Inventory } from '../../../src/inventory/inventory.ts';
import type { GroupStore, SavedGroups } from '../../../src/inventory/lastGroups.ts';
import type { RedisReading } from '../../../src/inventory/nodeReader.ts';
import type { KubernetesAccess, KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { KubernetesClusterRef } from '../../../src/model/clusterRef.ts';
import type { PodFacts } from '../../../src/model/snapshot.ts';
import type { RunPorts } from '../../../src/operations/run/runPlan.ts';
import * as redis from '../../../src/redis/entry.ts';
import type { Credentials } from '../../../src/redis/nodeConnection.ts';
import { waiting } from '../../../src/ui/run/waiting.ts';
import { accessWithRules } from '../../support/accessWithRole.ts';
import { until } from '../../support/adapterFixture.ts';
import { clusterPorts } from '../../support/clusterPorts.ts';
import { operationsFixture, type OperationsFixture } from '../../support/operationsFixture.ts';
import type { Maker, OwnerReference, Shape } from './shape.ts';

const times = { connectTimeoutMs: 5_000, commandTimeoutMs: 10_000 };

/** A shape in a namespace of its own, with a window onto it. */
export interface ShapeFixture extends OperationsFixture {
  readonly shape: Shape;
  /** Of whoever looks after the pods; `access` is the person's at the window. */
  readonly admin: KubernetesAccess;
  readonly ref: KubernetesClusterRef;
  /** What the present window reads. */
  readonly inventory: () => Inventory;
  /** Closes the window and opens another, signed in with these credentials or with none. */
  reopen(signedIn?: Credentials): void;
  /** Its pods in the order in which it was formed: masters first. */
  pods(): Promise<readonly PodFacts[]>;
  runPorts(): Promise<RunPorts>;
  /** Deletes pods, and creates those again that only an operator would. */
  deletePods(names: readonly string[]): Promise<void>;
}

/** @param rules the rights of the person at the window, who may do everything where they are absent */
export async function shapeFixture(shape: Shape, rules?: readonly object[]): Promise<ShapeFixture> {
  const fixture = await operationsFixture('foreign', 'none', 1_200_000);
  const { access, namespace, kubectl } = fixture;
  const { kubeconfig, context } = fixture.kubernetes;
  const person =
    rules === undefined
      ? access
      : await accessWithRules(
          { access, namespace, kubeconfig, context },
          {
            ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'person' } },
            rules,
          },
        );
  const personPorts = clusterPorts(person, 'none', AbortSignal.timeout(1_200_000));
  const ref = { context: access.context, namespace, name: shape.name };
  const definitions = new Set<string>();
  const made: KubernetesObject[] = [];
  const maker: Maker = {
    namespace,
    image: (key) => fixture.kubernetes.images[key],
    create: async (object) => {
      const placed = { ...object, metadata: { ...object.metadata, namespace } };
      made.push(placed);
      await access.create(placed);
    },
    custom: (apiVersion, kind, name, owner) =>
      custom(fixture, definitions, { apiVersion, kind, name, ...(owner === undefined ? {} : { owner }) }),
  };
  await shape.make(maker);
  const kept = new Map<string, SavedGroups>();
  const groups: GroupStore = {
    read: (_, name) => kept.get(name),
    write: (_, name, saved) => kept.set(name, saved),
  };
  const open = (signedIn?: Credentials): Inventory => {
    const connect: RedisReading['connectNode'] = (endpoint, credentials) =>
      redis.connectNode(endpoint, credentials, times);
    const inventory = new Inventory({
      redis: () =>
        Promise.resolve({
          connectNode: connect,
          connectPatiently: connect,
          readNodeView: redis.readNodeView,
        }),
      addressSource: (of) => ({
        ref: of,
        name: 'test',
        sandbox: false,
        credentials: () => Promise.resolve({}),
      }),
      groups,
      ...(signedIn === undefined ? {} : { signedIn: () => Promise.resolve(signedIn) }),
    });
    // The person's access outlives the window.
    const own = { ...person, close: () => undefined };
    const source = { name: access.context, namespaces: [namespace], fingerprint: '' };
    inventory.setContexts([{ ...source, open: () => Promise.resolve(own) }]);
    inventory.need(claimOf(ref));
    return inventory;
  };
  let inventory = open();
  const pods = async (): Promise<readonly PodFacts[]> => {
    const found = (await access.discover(namespace)).flatMap((candidate) => candidate.pods);
    const place = ({ name }: PodFacts): number =>
      shape.workloads.findIndex((workload) => name.startsWith(`${workload}-`));
    const ordinal = ({ name }: PodFacts): number =>
      shape.shardPerWorkload === true ? Number(name.at(-1)) : 0;
    return found
      .filter((pod) => place(pod) >= 0 && !pod.deleting)
      .sort((a, b) => ordinal(a) - ordinal(b) || place(a) - place(b) || a.name.localeCompare(b.name));
  };
  return {
    ...fixture,
    ...{ shape, ref, pods, admin: access, access: person, ports: personPorts },
    inventory: () => inventory,
    reopen: (signedIn) => {
      inventory.dispose();
      inventory = open(signedIn);
    },
    runPorts: async () => {
      const of = inventory;
      const { readNode, withNode, pauseAgent } = personPorts;
      return {
        ...{ redis, report: () => undefined, signal: AbortSignal.timeout(90_000), ...waiting },
        readSnapshot: () => of.fresh(ref),
        dialer: await of.dialer(ref),
        kubernetes: { access: person, namespace, readNode, withNode, pauseAgent },
      };
    },
    deletePods: async (names) => {
      await kubectl(['delete', 'pod', ...names]);
      const loose = made.filter(({ kind, metadata }) => kind === 'Pod' && names.includes(metadata.name));
      for (const object of loose) await access.create(object);
    },
    close: async () => {
      inventory.dispose();
      personPorts.close();
      if (person !== access) person.close();
      const [version, kind] = ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'] as const;
      for (const name of definitions) {
        await access.delete(version, kind, namespace, name);
        // The next shape may teach the API the same kind.
        await until(
          async () => (await access.get(version, kind, undefined, name)) === undefined || undefined,
        );
      }
      await fixture.close();
    },
  };
}

interface Custom {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly owner?: OwnerReference;
}

async function custom(
  { access, namespace }: OperationsFixture,
  definitions: Set<string>,
  { apiVersion, kind, name, owner }: Custom,
): Promise<OwnerReference> {
  const [group = '', version = ''] = apiVersion.split('/');
  const singular = kind.toLowerCase();
  const definition = `${singular}s.${group}`;
  if (!definitions.has(definition)) {
    definitions.add(definition);
    await access.apply({
      ...{
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: definition },
      },
      spec: {
        ...{ group, scope: 'Namespaced', names: { plural: `${singular}s`, singular, kind } },
        versions: [
          {
            ...{ name: version, served: true, storage: true },
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    });
  }
  return until(async () => {
    try {
      const ownerReferences = owner === undefined ? {} : { ownerReferences: [owner] };
      await access.apply({ apiVersion, kind, metadata: { name, namespace, ...ownerReferences } });
      const found = await access.get(apiVersion, kind, namespace, name);
      const { uid } = (found?.metadata ?? {}) as { readonly uid?: string };
      assert.ok(uid);
      return { apiVersion, kind, name, uid, controller: true };
    } catch (error) {
      // The API takes a moment to serve a new kind.
      if (error instanceof UserError && error.reason === 'not-found') return undefined;
      throw error;
    }
  });
}
