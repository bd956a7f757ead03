import { isAbort } from '../model/errors.ts';
import { pause } from '../model/pause.ts';
import type { Pod, StatefulSet } from './apiObjects.ts';
import type { ApiClient } from './client.ts';
import { redisOfPod, redisOfStatefulSet } from './discover.ts';
import { ApiFailure, explainProblem, type Asked } from './problems.ts';

/** Milliseconds between two calls of `onChange`. */
const settleTime = 100;
/** Seconds after which the server ends a watch; the next one goes on from where it was. */
const watchSeconds = 240;
/** Milliseconds without a byte after which a watch counts as dead: the server sends a bookmark about every minute. */
const silence = 150_000;
const firstDelay = 500;
const longestDelay = 30_000;

interface Watched {
  readonly group: string;
  readonly resource: string;
  readonly isRedis: (object: unknown) => boolean;
}

const watched: readonly Watched[] = [
  { group: '/api/v1', resource: 'pods', isRedis: (pod) => redisOfPod(pod as Pod) !== undefined },
  {
    group: '/apis/apps/v1',
    resource: 'statefulsets',
    isRedis: (set) => redisOfStatefulSet(set as StatefulSet) !== undefined,
  },
];

/**
 * Watches what `discover` lists. client-node's own informer is not used: it stops for good on most errors and ends
 * every quiet stream after 30 s.
 */
export function watchRedis(
  client: ApiClient,
  namespace: string | undefined,
  onChange: () => void,
  onState: (problem: Error | undefined) => void,
): () => void {
  const ended = new AbortController();
  const calls = coalesce(onChange);
  const problems = new Map<string, Error>();
  for (const one of watched) {
    const state = (problem: Error | undefined): void => {
      const before = problems.size;
      if (problem === undefined) problems.delete(one.resource);
      else problems.set(one.resource, problem);
      if (ended.signal.aborted || (before === 0 && problems.size === 0)) return;
      onState([...problems.values()][0]);
    };
    void follow(client, one, namespace, calls.call, state, ended.signal);
  }
  return () => {
    ended.abort();
    calls.end();
  };
}

/** At once where nothing was called lately, else when the pause is over. */
function coalesce(onChange: () => void): { call: () => void; end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let due = false;
  const fire = (): void => {
    due = false;
    timer = setTimeout(() => {
      timer = undefined;
      if (due) fire();
    }, settleTime);
    onChange();
  };
  return {
    call: () => {
      if (timer === undefined) fire();
      else due = true;
    },
    end: () => {
      clearTimeout(timer);
      timer = setTimeout(() => undefined, 0);
      due = false;
    },
  };
}

/** Lists for a version, watches from it, again and again; waits longer after each failure. Never rejects. */
async function follow(
  client: ApiClient,
  one: Watched,
  namespace: string | undefined,
  changed: () => void,
  state: (problem: Error | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const asked: Asked = { verb: 'watch', resource: one.resource, namespace };
  const path = `${one.group}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${one.resource}`;
  let version: string | undefined;
  let delay = firstDelay;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        version = await currentVersion(client, path, asked, signal);
        changed();
      }
      const from = version;
      const fresh = (): void => {
        delay = firstDelay;
        state(undefined);
      };
      version = await watchFrom(client, path, asked, from, one.isRedis, { fresh, changed }, signal);
    } catch (error) {
      if (error instanceof Error && isAbort(error)) return;
      version = undefined;
      if (!isGone(error)) state(explainProblem(error, client.context, asked));
      await pause(delay * (0.75 + Math.random() / 2), signal).catch(() => undefined);
      delay = Math.min(delay * 2, longestDelay);
    }
  }
}

/** 410: the version to go on from is too old for the server, which is no failure: a new list gives a new one. */
function isGone(error: unknown): boolean {
  const answer = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return answer instanceof ApiFailure && answer.status === 410;
}

async function currentVersion(
  client: ApiClient,
  path: string,
  asked: Asked,
  signal: AbortSignal,
): Promise<string> {
  const list = (await client.json({ asked, method: 'GET', path, query: { limit: '1' }, signal })) as {
    readonly metadata: { readonly resourceVersion: string };
  };
  return list.metadata.resourceVersion;
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: {
    readonly metadata?: { readonly resourceVersion?: string };
    readonly code?: number;
    readonly message?: string;
  };
}

/** Resolves with the version to go on from when the server ends the watch. */
async function watchFrom(
  client: ApiClient,
  path: string,
  asked: Asked,
  from: string,
  isRedis: (object: unknown) => boolean,
  heard: { readonly fresh: () => void; readonly changed: () => void },
  signal: AbortSignal,
): Promise<string> {
  const query = {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: from,
    timeoutSeconds: String(watchSeconds),
  };
  const stream = await client.stream({ asked, method: 'GET', path, query, signal });
  stream.socket.setKeepAlive(true, 15_000);
  stream.setTimeout(silence, () => stream.destroy(new Error('the watch sent nothing')));
  heard.fresh();
  let version = from;
  for await (const line of lines(stream)) {
    const { type, object } = JSON.parse(line) as WatchEvent;
    if (type === 'ERROR') throw new ApiFailure(object.code ?? 0, object.message ?? 'the watch failed');
    version = object.metadata?.resourceVersion ?? version;
    if (type !== 'BOOKMARK' && isRedis(object)) heard.changed();
  }
  return version;
}

async function* lines(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part !== '') yield part;
  }
}
