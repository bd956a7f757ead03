import { UserError } from '../../model/errors.ts';
import type { Progress, Report } from '../../model/progress.ts';
import type { PodFacts } from '../../model/snapshot.ts';
import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import { creationTrouble, watchTrouble } from './podTrouble.ts';

/** What waiting needs of the world; tests hand in their own clock. */
export interface WaitPorts {
  readonly access: KubernetesAccess;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** Ends early, without throwing, when the signal is aborted. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export interface Awaited {
  readonly namespace: string;
  readonly statefulSet: string;
  /** Its uid, by which events of an earlier StatefulSet of that name are told apart. */
  readonly uid: string | undefined;
  readonly pods: number;
}

/** What a look at the pods found; `progress` is said to the user and its text is what must change within the limit. */
export interface Look {
  readonly done: boolean;
  readonly progress: Progress;
}

const shortest = 200;
const longest = 1_000;
/** Milliseconds for which nothing may change before waiting is given up. */
const progressLimit = 300_000;
/** Milliseconds for which the API may not answer. */
const outageLimit = 60_000;
/** Milliseconds pods may be missing before the StatefulSet's events are read for the reason. */
const creationLimit = 3_000;

/**
 * Looks at a StatefulSet's pods whenever Kubernetes says that something changed, and at least once a second, until
 * `look` is content. Throws a UserError that names the pod and the reason where waiting cannot help.
 */
export async function waitForPods(
  ports: WaitPorts,
  awaited: Awaited,
  look: (pods: readonly PodFacts[], wake: () => void) => Look | Promise<Look>,
): Promise<void> {
  const { access, now, report, signal } = ports;
  const trouble = watchTrouble(access, awaited.namespace, now);
  const readPods = patientReader(ports, awaited);
  const started = now();
  let progressed = started;
  let last = '';
  const changes = wakeOnChange(ports, awaited.namespace);
  try {
    for (;;) {
      signal.throwIfAborted();
      const pods = await readPods();
      const { done, progress } = await look(pods, changes.wake);
      report(progress);
      if (done) return;
      if (progress.text !== last) progressed = now();
      last = progress.text;
      const late = pods.length < awaited.pods && now() - started > creationLimit;
      const problem =
        (await trouble.look(pods)) ?? (late ? await whyMissing(access, awaited) : undefined) ?? stalled();
      if (problem !== undefined) throw new UserError('failed', problem);
      await changes.next();
    }
  } finally {
    changes.end();
  }

  function stalled(): string | undefined {
    if (now() - progressed < progressLimit) return undefined;
    return `Nothing has changed for ${String(progressLimit / 60_000)} minutes: ${last}.`;
  }
}

/** Bears an API that does not answer for a while: pods start without it. */
function patientReader(
  { access, now, signal }: WaitPorts,
  awaited: Awaited,
): () => Promise<readonly PodFacts[]> {
  let last: readonly PodFacts[] = [];
  let answered = now();
  return async () => {
    try {
      last = await podsOf(access, awaited, signal);
      answered = now();
    } catch (error) {
      const passing = error instanceof UserError && error.reason === 'unreachable';
      if (!passing || now() - answered > outageLimit) throw error;
    }
    return last;
  };
}

function whyMissing(
  access: KubernetesAccess,
  { namespace, statefulSet, uid }: Awaited,
): Promise<string | undefined> {
  return creationTrouble(access, namespace, statefulSet, uid);
}

/** The pods of a StatefulSet; none where it is not found. */
export async function podsOf(
  access: KubernetesAccess,
  { namespace, statefulSet }: Pick<Awaited, 'namespace' | 'statefulSet'>,
  signal: AbortSignal,
): Promise<readonly PodFacts[]> {
  const candidates = await access.discover(namespace, signal);
  const own = candidates.find(
    ({ workload }) => workload.kind === 'StatefulSet' && workload.name === statefulSet,
  );
  return own?.pods ?? [];
}

/** Waits for the next change, by the watch's word or the caller's, but never less or more than the limits. */
function wakeOnChange(
  { access, signal, delay }: WaitPorts,
  namespace: string,
): { next(): Promise<void>; readonly wake: () => void; end(): void } {
  let changed = false;
  let wakeUp = (): void => undefined;
  const wake = (): void => {
    changed = true;
    wakeUp();
  };
  const end = access.watch(namespace, wake, () => undefined);
  return {
    wake,
    next: async () => {
      await delay(shortest, signal);
      if (!changed) {
        const over = new AbortController();
        const woken = new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
        const either = AbortSignal.any([signal, over.signal]);
        await Promise.race([woken, delay(longest - shortest, either)]);
        over.abort();
      }
      changed = false;
    },
    end,
  };
}
