import type * as vscode from 'vscode';
import { groupings, type Grouping } from './groupings.ts';

const key = 'redisCluster.grouping';

/** How this user wants the nodes of all clusters listed; kept over windows. */
export class GroupingChoice {
  readonly #state: vscode.Memento;

  constructor(state: vscode.Memento) {
    this.#state = state;
  }

  get chosen(): Grouping {
    const stored = this.#state.get(key);
    return groupings.find((grouping) => grouping === stored) ?? 'shards';
  }

  async choose(grouping: Grouping): Promise<void> {
    await this.#state.update(key, grouping);
  }
}
