import { UserError } from '../../model/errors.ts';
import type { Step, StepKind, StepOf } from '../../model/plan.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { StepPorts } from './ports.ts';

/** How one kind of step is run; `runPlan` calls these in this order, each on a fresh reading. */
export interface StepRun<K extends StepKind> {
  /** Whether the servers say that this is so already: then it is not done again. After `act` it has to be true. */
  readonly isDone: (
    step: StepOf<K>,
    snapshot: ClusterSnapshot,
    ports: StepPorts,
  ) => boolean | Promise<boolean>;
  /** Throws a UserError where the step must not run now. Each kind states its own preconditions. */
  readonly check: (step: StepOf<K>, snapshot: ClusterSnapshot, ports: StepPorts) => void | Promise<void>;
  /** Does it, and waits until the servers took it. May end early, without an error, when the signal is aborted. */
  readonly act: (step: StepOf<K>, ports: StepPorts) => Promise<void>;
}

/**
 * Puts node ids where a step names nodes by their pods, now that these have joined. Throws a UserError where a pod
 * holds no member of the cluster.
 */
export function withNodes<S extends Step>(step: S, snapshot: ClusterSnapshot): S {
  const { pod, masterPod } = step as { readonly pod?: string; readonly masterPod?: string };
  const { kind } = step;
  if (kind === 'moveSlots' || kind === 'copyFunctions') {
    return pod === undefined ? step : { ...step, to: nodeIn(pod, snapshot) };
  }
  if (kind !== 'replicate') return step;
  return {
    ...step,
    ...(pod === undefined ? {} : { node: nodeIn(pod, snapshot) }),
    ...(masterPod === undefined ? {} : { master: nodeIn(masterPod, snapshot) }),
  };
}

function nodeIn(pod: string, snapshot: ClusterSnapshot): string {
  const node = snapshot.nodes.find((candidate) => candidate.pod?.name === pod);
  if (node !== undefined) return node.id;
  throw new UserError('not-found', `The server in pod ${pod} is not a member of ${snapshot.name} (yet).`);
}
