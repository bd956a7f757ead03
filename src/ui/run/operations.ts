import { EventEmitter } from 'node:events';
import { clusterKey, describeRef, type ClusterRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Progress } from '../../model/progress.ts';
import { slotsOf, type Plan } from '../../operations/plans/plan.ts';
import type { SlotSet } from '../../model/slots.ts';
import type { ClusterSnapshot, RunningWork } from '../../model/snapshot.ts';
import { workloadWork } from '../../checks/workloadWork.ts';
import { thisWindow } from '../thisWindow.ts';
import type { RunningOperation } from '../tree/operationRow.ts';

interface Entry extends RunningOperation {
  readonly slots: SlotSet | undefined;
  readonly abort: AbortController;
  /** Ends, without throwing, when the operation has. */
  readonly ended: Promise<void>;
}

/** How long an operation that has ended still explains that nodes differ: gossip reaches replicas within this. */
const settlesMs = 5_000;

/** The operations that run in this window: one that changes a cluster at a time for each cluster. */
export class Operations extends EventEmitter<{ changed: [] }> {
  readonly #running = new Map<string, Entry>();
  readonly #ended = new Map<string, RunningWork & { readonly at: number }>();
  #closing = false;

  /** The window is being closed: what ends now was stopped for that. */
  get closing(): boolean {
    return this.#closing;
  }

  running(ref: ClusterRef): RunningOperation | undefined {
    return this.#running.get(clusterKey(ref));
  }

  get count(): number {
    return this.#running.size;
  }

  /** All that changes a cluster now or did so a moment ago: this window's work, a colleague's and Kubernetes' own. */
  workOn(snapshot: ClusterSnapshot): readonly RunningWork[] {
    const key = clusterKey(snapshot.ref);
    const running = this.#running.get(key);
    const ended = this.#ended.get(key);
    const colleagues = snapshot.running?.holder === thisWindow() ? undefined : snapshot.running;
    return [
      ...(running === undefined ? [] : [workOf(running)]),
      ...(ended === undefined || Date.now() - ended.at > settlesMs ? [] : [ended]),
      ...(colleagues === undefined ? [] : [colleagues]),
      ...workloadWork(snapshot),
    ];
  }

  /** Asks the operation to stop at the next safe point. False where none runs. */
  cancel(ref: ClusterRef): boolean {
    const operation = this.#running.get(clusterKey(ref));
    operation?.abort.abort();
    return operation !== undefined;
  }

  /** Stops all operations at their next safe points and begins no others; resolves when they have ended, or in time. */
  async close(withinMs: number): Promise<void> {
    this.#closing = true;
    const entries = [...this.#running.values()];
    for (const { abort } of entries) abort.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([Promise.all(entries.map(({ ended }) => ended)), late]);
    clearTimeout(timer);
  }

  /** Runs `work` as the cluster's one operation. Throws a UserError `busy` where another one runs. */
  async run<T>(
    plan: Pick<Plan, 'ref' | 'title' | 'operation' | 'steps'>,
    work: (signal: AbortSignal, report: (progress: Progress) => void) => Promise<T>,
  ): Promise<T> {
    const { ref, title, operation } = plan;
    const slots = slotsOf(plan);
    const key = clusterKey(ref);
    this.#refuse(ref);
    const abort = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<undefined>();
    const report = (progress: Progress): void => {
      this.#running.set(key, { title, operation, slots, progress, abort, ended });
      this.emit('changed');
    };
    report({ text: 'Starting' });
    try {
      return await work(abort.signal, report);
    } finally {
      this.#running.delete(key);
      this.#ended.set(key, { ...workOf({ title, operation, slots }), ended: true, at: Date.now() });
      this.emit('changed');
      end(undefined);
      // What was expected a moment ago is a fault from now on.
      setTimeout(() => this.emit('changed'), settlesMs).unref();
    }
  }

  #refuse(ref: ClusterRef): void {
    if (this.#closing) throw new UserError('busy', 'VS Code is closing. Nothing was changed.');
    const other = this.#running.get(clusterKey(ref));
    if (other === undefined) return;
    throw new UserError(
      'busy',
      `“${other.title}” is running on ${describeRef(ref)}. Nothing was changed. Wait until it finishes, or cancel it.`,
    );
  }
}

function workOf({ title, operation, slots }: Pick<Entry, 'title' | 'operation' | 'slots'>): RunningWork {
  return { title, operation, ...(slots === undefined ? {} : { slots }) };
}
