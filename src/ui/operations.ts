import { EventEmitter } from 'node:events';
import { clusterKey, describeRef, type ClusterRef } from '../model/clusterRef.ts';
import { UserError } from '../model/errors.ts';
import type { Progress } from '../model/plan.ts';
import type { RunningOperation } from './tree/clusterRow.ts';

/** The operations that run in this window: one that changes a cluster at a time for each cluster. */
export class Operations extends EventEmitter<{ changed: [] }> {
  readonly #running = new Map<string, RunningOperation & { readonly abort: AbortController }>();

  running(ref: ClusterRef): RunningOperation | undefined {
    return this.#running.get(clusterKey(ref));
  }

  get count(): number {
    return this.#running.size;
  }

  /** Asks the operation to stop at the next safe point. False where none runs. */
  cancel(ref: ClusterRef): boolean {
    const operation = this.#running.get(clusterKey(ref));
    operation?.abort.abort();
    return operation !== undefined;
  }

  /** Runs `work` as the cluster's one operation. Throws a UserError `busy` where another one runs. */
  async run<T>(
    ref: ClusterRef,
    title: string,
    work: (signal: AbortSignal, report: (progress: Progress) => void) => Promise<T>,
  ): Promise<T> {
    const key = clusterKey(ref);
    const other = this.#running.get(key);
    if (other !== undefined) {
      throw new UserError(
        'busy',
        `"${other.title}" is running on ${describeRef(ref)}. Nothing was changed. Wait for it or stop it first.`,
      );
    }
    const abort = new AbortController();
    const report = (progress: Progress): void => {
      this.#running.set(key, { title, progress, abort });
      this.emit('changed');
    };
    report({ text: 'starting' });
    try {
      return await work(abort.signal, report);
    } finally {
      this.#running.delete(key);
      this.emit('changed');
    }
  }
}
