import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { clusterRow, verdictOn, type ClusterWork, type Drawing, type Verdict } from './clusterRow.ts';
import type { Row } from './row.ts';

interface Drawn {
  /** Everything that the row was made of beside the snapshot. */
  readonly made: string;
  readonly row: Row;
}

/** Keeps the rows of clusters that were not read again: a reading of one cluster builds only its own. */
export class ClusterRows {
  readonly #drawn = new WeakMap<ClusterSnapshot, Drawn>();
  readonly #judged = new WeakMap<ClusterSnapshot, { readonly made: string; readonly verdict: Verdict }>();

  /** The very same row as before where neither the snapshot nor anything else is another. */
  row(snapshot: ClusterSnapshot, name: string, work: ClusterWork, drawing: Drawing): Row {
    const made = JSON.stringify([name, work, drawing]);
    const before = this.#drawn.get(snapshot);
    if (before?.made === made) return before.row;
    const row = clusterRow({ ...snapshot, name }, work, drawing, this.verdict(snapshot, name, work));
    this.#drawn.set(snapshot, { made, row });
    return row;
  }

  /** What the checks say of a cluster, which its row, the badge and the status bar share. */
  verdict(snapshot: ClusterSnapshot, name: string, { all }: Pick<ClusterWork, 'all'>): Verdict {
    const made = JSON.stringify([name, all]);
    const before = this.#judged.get(snapshot);
    if (before?.made === made) return before.verdict;
    const verdict = verdictOn({ ...snapshot, name }, all);
    this.#judged.set(snapshot, { made, verdict });
    return verdict;
  }
}
