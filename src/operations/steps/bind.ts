import type { Step, StepKind, StepOf } from '../../model/plan.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type { StepRuns } from './index.ts';
import type { StepPorts } from './ports.ts';

/** A step with what runs its kind, so that no caller has to know which kind it is. */
export interface BoundStep {
  readonly index: number;
  readonly step: Step;
  readonly isDone: () => boolean | Promise<boolean>;
  readonly isDoneOn: (snapshot: ClusterSnapshot) => boolean | Promise<boolean>;
  readonly check: () => void | Promise<void>;
  readonly act: () => Promise<void>;
}

/** Throws where nothing runs steps of that kind, which is a bug of the planner. */
export function bind<K extends StepKind>(
  step: StepOf<K> & Step,
  index: number,
  ports: StepPorts,
  runs: StepRuns,
): BoundStep {
  const kind: K = step.kind;
  const run = runs[kind];
  if (run === undefined) throw new Error(`steps of kind ${kind} are not run by plans`);
  return {
    index,
    step,
    isDone: () => run.isDone(step, ports.snapshot, ports),
    isDoneOn: (snapshot) => run.isDone(step, snapshot, { ...ports, snapshot }),
    check: () => run.check(step, ports.snapshot, ports),
    act: () => run.act(step, ports),
  };
}
