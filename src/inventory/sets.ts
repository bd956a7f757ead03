/** Disjoint sets of the numbers from 0 to `size` - 1. */
export class Sets {
  readonly #parents: number[];

  constructor(size: number) {
    this.#parents = Array.from({ length: size }, (_, index) => index);
  }

  /** The number that stands for the set which a number is in. */
  find(index: number): number {
    let root = index;
    for (
      let parent = this.#parents[root];
      parent !== undefined && parent !== root;
      parent = this.#parents[root]
    ) {
      root = parent;
    }
    this.#parents[index] = root;
    return root;
  }

  join(a: number, b: number): void {
    this.#parents[this.find(b)] = this.find(a);
  }

  /** The members of each set. */
  groups(): readonly (readonly number[])[] {
    return [...Map.groupBy(this.#parents.keys(), (index) => this.find(index)).values()];
  }
}
