import { quantity } from '../model/quantity.ts';
import { UserError } from '../model/errors.ts';
import type { ApiClient } from './client.ts';
import { listAll } from './discover.ts';
import type { KubernetesAccess, KubernetesObject } from './kubernetesAccess.ts';
import { ApiFailure, type Asked } from './problems.ts';

/** Who the API server says owns the fields that this product sets. */
const fieldManager = 'kubernetes-redis-cluster';
const writeLimit = 30_000;

type Objects = Pick<KubernetesAccess, 'apply' | 'patch' | 'create' | 'get' | 'list' | 'delete' | 'scale'>;

/** Reads and writes objects of any kind; the server itself says under which path a kind is found. */
export function objectsOf(client: ApiClient): Objects {
  const resources = createResources(client);
  return {
    apply: async (object, signal) => {
      const place = await placeOf(resources, object);
      await client.json({
        asked: { ...place.asked, verb: 'apply' },
        method: 'PATCH',
        path: `${place.path}/${object.metadata.name}`,
        query: { fieldManager },
        body: object,
        contentType: 'application/apply-patch+yaml',
        limit: writeLimit,
        signal,
      });
    },
    patch: async (apiVersion, kind, namespace, name, change, signal) => {
      const { path, resource } = await resources(apiVersion, kind, namespace);
      const changed = await client.json({
        asked: { verb: 'patch', resource, namespace, name },
        method: 'PATCH',
        path: `${path}/${name}`,
        query: { fieldManager },
        body: change,
        contentType: 'application/strategic-merge-patch+json',
        limit: writeLimit,
        signal,
      });
      return changed as KubernetesObject;
    },
    create: async (object, signal) => {
      const { path, asked } = await placeOf(resources, object);
      const query = { fieldManager };
      await client.json({
        asked: { ...asked, verb: 'create' },
        method: 'POST',
        path,
        query,
        body: object,
        limit: writeLimit,
        signal,
      });
    },
    get: async (apiVersion, kind, namespace, name) => {
      const { path, resource } = await resources(apiVersion, kind, namespace);
      const asked: Asked = { verb: 'get', resource, namespace, name };
      return orMissing(async () => {
        const found = await client.json({ asked, method: 'GET', path: `${path}/${name}` });
        return found as KubernetesObject;
      }, undefined);
    },
    list: async (apiVersion, kind, namespace, labelSelector) => {
      const { group, resource, namespaced } = await resources(apiVersion, kind, namespace);
      const within = namespaced ? namespace : undefined;
      const items = await listAll(client, group, resource, within, undefined, labelSelector);
      return items.map((item) => ({ ...(item as KubernetesObject), apiVersion, kind }));
    },
    delete: async (apiVersion, kind, namespace, name, signal, how = {}) => {
      const { path, resource } = await resources(apiVersion, kind, namespace);
      const asked: Asked = { verb: 'delete', resource, namespace, name };
      const { propagationPolicy = 'Background', uid } = how;
      const body = { propagationPolicy, ...(uid === undefined ? {} : { preconditions: { uid } }) };
      return orMissing(async () => {
        await client.json({
          asked,
          method: 'DELETE',
          path: `${path}/${name}`,
          body,
          limit: writeLimit,
          signal,
        });
        return true;
      }, false);
    },
    scale: (namespace, statefulSet, from, to) => scale(client, namespace, statefulSet, from, to),
  };
}

async function placeOf(
  resources: Resources,
  { apiVersion, kind, metadata: { name, namespace } }: KubernetesObject,
): Promise<{ readonly path: string; readonly asked: Omit<Asked, 'verb'> }> {
  const { path, resource } = await resources(apiVersion, kind, namespace);
  return { path, asked: { resource, namespace, name } };
}

async function orMissing<T>(run: () => Promise<T>, missing: T): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Error && error.cause instanceof ApiFailure && error.cause.status === 404)
      return missing;
    throw error;
  }
}

interface Scale {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly replicas?: number };
}

/** Conflicts in a row after which somebody else is said to be at it. */
const mostConflicts = 5;

/**
 * The version read is sent along, so that a change by somebody else in between is refused by the server. It is also
 * refused when only the status has moved on, as it does while pods come and go: then it is read and judged again.
 */
async function scale(
  client: ApiClient,
  namespace: string,
  name: string,
  from: number,
  to: number,
): Promise<void> {
  for (let conflicts = 1; ; conflicts++) {
    try {
      await scaleOnce(client, namespace, name, from, to);
      return;
    } catch (error) {
      const isConflict =
        error instanceof Error && error.cause instanceof ApiFailure && error.cause.status === 409;
      if (!isConflict || conflicts === mostConflicts) throw error;
    }
  }
}

async function scaleOnce(
  client: ApiClient,
  namespace: string,
  name: string,
  from: number,
  to: number,
): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}/scale`;
  const asked: Asked = { verb: 'get', resource: 'statefulsets/scale', namespace, name };
  const { metadata, spec } = (await client.json({ asked, method: 'GET', path })) as Scale;
  const now = spec.replicas ?? 0;
  if (now === to) return;
  if (now !== from) {
    throw new UserError(
      'unsafe',
      `StatefulSet ${name} in namespace ${namespace} (context ${client.context}) has ${quantity(now, 'replica')} now, not ${from}: someone else changed it. Nothing was changed. Refresh and try again.`,
    );
  }
  const body = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { replicas: to } };
  const contentType = 'application/merge-patch+json';
  await client.json({
    asked: { ...asked, verb: 'patch' },
    method: 'PATCH',
    path,
    query: { fieldManager },
    body,
    contentType,
    limit: writeLimit,
  });
}

/** `group` is `/api/v1` or `/apis/apps/v1`; `path` goes down to the resource in its namespace. */
interface Resource {
  readonly group: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly path: string;
}

type Resources = (apiVersion: string, kind: string, namespace: string | undefined) => Promise<Resource>;

interface ResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

/**
 * Asks the server once per API version which kinds it has. A list that could not be read is asked for again, and one
 * without the kind too: an operator may have been installed since.
 */
function createResources(client: ApiClient): Resources {
  const known = new Map<string, Promise<ResourceList>>();
  const read = async (group: string, apiVersion: string): Promise<ResourceList> => {
    const asked: Asked = { verb: 'get', resource: `API ${apiVersion}` };
    try {
      return (await client.json({ asked, method: 'GET', path: group })) as ResourceList;
    } catch (error) {
      known.delete(apiVersion);
      throw error;
    }
  };
  return async (apiVersion, kind, namespace) => {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const list = known.get(apiVersion) ?? read(group, apiVersion);
    known.set(apiVersion, list);
    const found = (await list).resources.find((one) => one.kind === kind && !one.name.includes('/'));
    if (found === undefined) {
      known.delete(apiVersion);
      throw new UserError('not-found', `Context ${client.context} has no ${kind} of ${apiVersion}.`);
    }
    const { name: resource, namespaced } = found;
    const scope = namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
    return { group, resource, namespaced, path: `${group}${scope}/${resource}` };
  };
}
