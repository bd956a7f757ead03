interface Sighting<T> {
  readonly found: readonly T[];
  readonly names: readonly string[];
  /** In the order of what was found; milliseconds since the epoch. */
  readonly since: readonly number[];
  readonly takenAt: number;
}

/**
 * Since when things are found in each reading of a cluster: a reading is one moment, and much of what is seen in one
 * passes by itself within seconds. Lives as long as whoever reads the cluster.
 */
export class History {
  readonly #last = new Map<string, Sighting<unknown>>();

  /**
   * For how long each thing was found in all readings up to this one, in milliseconds and in the order of `found`. Where
   * the very same list is found again nothing is compared: in a large cluster it has thousands of entries. An older
   * reading that is judged once more changes nothing.
   */
  ages<T>(
    topic: string,
    found: readonly T[],
    nameOf: (thing: T) => string,
    takenAt: number,
  ): readonly number[] {
    const before = this.#last.get(topic);
    const ageOf = (since: number): number => Math.max(0, takenAt - since);
    if (before?.found === found) {
      if (takenAt > before.takenAt) this.#last.set(topic, { ...before, takenAt });
      return before.since.map(ageOf);
    }
    const names = found.map(nameOf);
    const times = new Map(before?.names.map((name, at) => [name, before.since[at]]));
    const since = names.map((name) => times.get(name) ?? takenAt);
    if (before === undefined || takenAt >= before.takenAt) {
      this.#last.set(topic, { found, names, since, takenAt });
    }
    return since.map(ageOf);
  }
}
