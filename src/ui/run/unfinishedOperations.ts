import { EventEmitter } from 'node:events';
import { clusterKey, type ClusterRef } from '../../model/clusterRef.ts';
import {
  diedUnfinished,
  endedUnfinished,
  readDied,
  type JournalPorts,
  type Unfinished,
} from '../../operations/run/journal.ts';

/** The operations with steps left of which a person has not decided yet, by what all windows of this user wrote down. */
export class UnfinishedOperations extends EventEmitter<{ changed: [] }> {
  readonly #journals: JournalPorts;
  #ended: readonly Unfinished[] = [];
  #died: readonly Unfinished[] = [];

  constructor(journals: JournalPorts) {
    super();
    this.#journals = journals;
  }

  /** Those of a cluster, the newest first. */
  of(ref: ClusterRef): readonly Unfinished[] {
    const key = clusterKey(ref);
    return [...this.#ended, ...this.#died]
      .filter(({ cluster }) => clusterKey(cluster) === key)
      .sort((a, b) => b.begunAt - a.begunAt);
  }

  get count(): number {
    return this.#ended.length + this.#died.length;
  }

  /** Reads again what has ended, and leaves out what is replaced since. Throws where the journals cannot be read. */
  async reload(): Promise<readonly Unfinished[]> {
    this.#ended = await endedUnfinished(this.#journals);
    const open = new Set((await readDied(this.#journals.store)).map(({ id }) => id));
    this.#died = this.#died.filter(({ id }) => open.has(id));
    this.emit('changed');
    return this.#ended;
  }

  /** Finds operations whose windows died, which takes as long as a window may be silent. */
  async findDied(): Promise<readonly Unfinished[]> {
    this.#died = await diedUnfinished(this.#journals, new AbortController().signal);
    this.emit('changed');
    return this.#died;
  }

  /** A person has decided about it. */
  async settled(id: string): Promise<void> {
    this.#died = this.#died.filter((one) => one.id !== id);
    await this.reload();
  }
}
