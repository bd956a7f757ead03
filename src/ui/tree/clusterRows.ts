import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { clusterRow, type ClusterWork, type Drawing } from './clusterRow.ts';
import type { Row } from './row.ts';

interface Drawn {
  /** Everything that the row was made of beside the snapshot. */
  readonly made: string;
  readonly row: Row;
}

/** Keeps the rows of clusters that were not read anew: a reading of one cluster builds only its own. */
export class ClusterRows {
  readonly #drawn = new WeakMap<ClusterSnapshot, Drawn>();

  /** The very same row as before where neither the snapshot nor anything else is another. */
  row(snapshot: ClusterSnapshot, name: string, work: ClusterWork, drawing: Drawing): Row {
    const made = JSON.stringify([name, work, drawing]);
    const before = this.#drawn.get(snapshot);
    if (before?.made === made) return before.row;
    const row = clusterRow({ ...snapshot, name }, work, drawing);
    this.#drawn.set(snapshot, { made, row });
    return row;
  }
}
