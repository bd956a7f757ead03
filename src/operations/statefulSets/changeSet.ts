import { UserError } from '../../model/errors.ts';
import { readSet, type SetFacts } from './facts.ts';
import type { Place, UpgradePorts } from './ports.ts';

const conflictTries = 20;
const conflictPause = 200;
/** Milliseconds the StatefulSet controller has for seeing a change. */
const observeLimit = 60_000;

/** Fields to change together; a partition of `all` keeps every pod as it is. */
interface SetChange {
  readonly template?: Readonly<Record<string, unknown>>;
  readonly partition: number | 'all';
}

/**
 * Changes a StatefulSet's template and partition in one request, so that no pod is renewed before its turn. The
 * version that was read is sent along: its status changes all the time, so a conflict is tried again.
 */
export async function changeSet(
  { namespace, statefulSet }: Omit<Place, 'port'>,
  { template, partition }: SetChange,
  { access, signal, delay }: Pick<UpgradePorts, 'access' | 'signal' | 'delay'>,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const set = await readSet(access, namespace, statefulSet);
    const wanted = partition === 'all' ? set.replicas : partition;
    if (template === undefined && set.partition === wanted) return;
    const change = {
      metadata: { resourceVersion: set.resourceVersion },
      spec: {
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: wanted } },
        ...(template === undefined ? {} : { template }),
      },
    };
    try {
      await access.patch('apps/v1', 'StatefulSet', namespace, statefulSet, change, signal);
      return;
    } catch (error) {
      const isConflict = error instanceof UserError && error.reason === 'conflict';
      if (!isConflict || tries === conflictTries) throw error;
      await delay(conflictPause, signal);
      signal.throwIfAborted();
    }
  }
}

/** The StatefulSet once its controller has seen the last change and says which revision pods are to have. */
export async function observedSet(
  { namespace, statefulSet }: Place,
  { access, signal, delay, now }: UpgradePorts,
): Promise<SetFacts & { readonly revision: string }> {
  const end = now() + observeLimit;
  for (;;) {
    signal.throwIfAborted();
    const set = await readSet(access, namespace, statefulSet);
    if (set.revision !== undefined) return { ...set, revision: set.revision };
    if (now() > end) {
      throw new UserError(
        'failed',
        `Kubernetes does not act on StatefulSet ${statefulSet}: is its controller manager running?`,
      );
    }
    await delay(conflictPause, signal);
  }
}
