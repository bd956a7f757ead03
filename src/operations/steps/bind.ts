import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { actionsOf, type Step, type StepKind, type StepKinds, type StepOf } from './index.ts';
import type { StepPorts } from './ports.ts';
import { nodeIn } from './step.ts';

/** A step with what runs its kind, so that no caller has to know which kind it is. */
export interface BoundStep {
  readonly index: number;
  readonly step: Step;
  readonly isDone: () => boolean | Promise<boolean>;
  readonly isDoneOn: (snapshot: ClusterSnapshot) => boolean | Promise<boolean>;
  readonly check: () => void | Promise<void>;
  readonly act: () => Promise<void>;
}

/** Throws a UserError where the step names a node by a pod that holds no member of the cluster. */
export function bind<K extends StepKind>(
  planned: StepOf<K> & Step,
  index: number,
  ports: StepPorts,
  kinds: StepKinds,
): BoundStep {
  const run = actionsOf<K>(planned, kinds);
  const { snapshot } = ports;
  const step = run.withNodes?.(planned, (pod) => nodeIn(pod, snapshot)) ?? planned;
  return {
    index,
    step: planned,
    isDone: () => run.isDone(step, snapshot, ports),
    isDoneOn: (later) => run.isDone(step, later, { ...ports, snapshot: later }),
    check: () => run.check(step, snapshot, ports),
    act: () => run.act(step, ports),
  };
}
