import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { messageOf, UserError } from '../model/errors.ts';
import { objectsOf } from './apply.ts';
import { createClient, type ApiClient } from './client.ts';
import { discover, listAll } from './discover.ts';
import { exec } from './exec.ts';
import type { KubeContext } from './kubeconfigs.ts';
import type { Forward, KubernetesAccess, KubernetesObject } from './kubernetesAccess.ts';
import { logsOf } from './logs.ts';
import { forward, Ways } from './portForward.ts';
import { readSecret, readTexts } from './secrets.ts';
import { createSignIn, type SignIn } from './signIn.ts';
import { watchRedis } from './watch.ts';

/**
 * Opens one context. Nothing is sent before the first question is asked.
 * Throws a UserError where the kubeconfig cannot be read (any more).
 */
export function openContext(context: KubeContext): KubernetesAccess {
  const signIn = signInTo(context);
  const client = createClient(signIn);
  const ends = new Set<() => void>();
  const sockets = socketFolder();
  const ways = new Ways();
  const closed = new AbortController();
  return {
    context: context.name,
    defaultNamespace: context.namespace,
    listNamespaces: (signal) => listNamespaces(client, signal),
    discover: (namespace, signal) => discover(client, namespace, signal),
    watch: (namespace, onChange, onState) => {
      const end = watchRedis(client, namespace, onChange, onState);
      ends.add(end);
      return () => {
        ends.delete(end);
        end();
      };
    },
    forward: async (namespace, pod, port, signal) => {
      const target = { namespace, pod, port };
      // A forward that is still being opened when all is closed must not stay.
      const until = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
      return endedBy(ends, await forward(signIn, client, { folder: sockets.path(), ways }, target, until));
    },
    readSecret: (namespace, from) => readSecret(client, namespace, from),
    readTexts: (namespace, kind, name) => readTexts(client, namespace, kind, name),
    ...objectsOf(client),
    exec: (namespace, pod, container, command, onOutput) =>
      exec(signIn, client, { namespace, pod, container }, command, onOutput),
    logs: logsOf(client),
    may: (verb, resource, group, namespace) => may(client, verb, resource, group, namespace),
    close: () => {
      closed.abort();
      for (const end of ends) end();
      ends.clear();
      sockets.remove();
      signIn.close();
    },
  };
}

function signInTo(context: KubeContext): SignIn {
  try {
    return createSignIn(context);
  } catch (error) {
    throw new UserError('invalid-input', `Context ${context.name} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function endedBy(ends: Set<() => void>, opened: Forward): Forward {
  const close = (): void => {
    ends.delete(close);
    opened.close();
  };
  ends.add(close);
  return { ...opened, close };
}

/** A folder that only this user may enter (mkdtemp makes it 0700), made when the first socket needs it. */
function socketFolder(): { path(): string; remove(): void } {
  let folder: string | undefined;
  return {
    path: () => (folder ??= mkdtempSync(join(tmpdir(), 'redis-cluster-'))),
    remove: () => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

async function listNamespaces(client: ApiClient, signal?: AbortSignal): Promise<readonly string[]> {
  const items = await listAll(client, '/api/v1', 'namespaces', undefined, signal);
  return items.map((item) => (item as KubernetesObject).metadata.name).sort();
}

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/ */
async function may(
  client: ApiClient,
  verb: string,
  resource: string,
  group: string,
  namespace: string,
): Promise<boolean> {
  const [name, subresource] = resource.split('/');
  const resourceAttributes = {
    verb,
    group,
    namespace,
    resource: name,
    ...(subresource === undefined ? {} : { subresource }),
  };
  const review = (await client.json({
    asked: { verb: 'create', resource: 'selfsubjectaccessreviews', namespace },
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    },
  })) as { readonly status?: { readonly allowed?: boolean } };
  return review.status?.allowed === true;
}
