import { isKubernetesRef, type ClusterRef } from '../model/clusterRef.ts';
import { isDestructive, type Plan } from '../model/plan.ts';
import type { Parts } from './parts.ts';
import { answersOf, clusterOf, namesCluster, rowTarget, type Answers } from './target.ts';
import type { RowTarget } from './tree/row.ts';

/** How a change is confirmed: not at all, by a button, or by a typed word. */
type Confirmation = 'none' | 'button' | { readonly word: string };

/**
 * Who answers a command: its argument, or a person, who started it from a row or the palette or was asked a question.
 * From that follows, in this one place, how what the command plans is confirmed.
 */
export class Asking {
  readonly answers: Answers;
  /** What the row stands for that the command was started from. */
  readonly target: RowTarget | undefined;
  readonly #parts: Parts;
  readonly #argument: unknown;
  #isPerson: boolean;

  /** @param argument the command's: a tree row, an object with the answers, or nothing */
  constructor(parts: Parts, argument: unknown) {
    this.#parts = parts;
    this.#argument = argument;
    this.answers = answersOf(parts, argument);
    this.target = rowTarget(parts, argument);
    this.#isPerson = Object.keys(this.answers).length === 0 || this.answers['ask'] === true;
  }

  /** The cluster that the row or the answers name, or one that a person picks. */
  async cluster(): Promise<ClusterRef> {
    if (!namesCluster(this.#parts, this.#argument)) this.#isPerson = true;
    return await clusterOf(this.#parts, this.#argument);
  }

  /** The answer that was given, or a person's, to whom the plan is shown then. */
  async or<T>(given: T | undefined, ask: () => Promise<T>): Promise<T> {
    if (given !== undefined) return given;
    this.#isPerson = true;
    return await ask();
  }

  /** For plans that are not the caller's own: they are shown whatever was answered. */
  always(): this {
    this.#isPerson = true;
    return this;
  }

  /**
   * Not at all where the caller says `confirmed`; by a button where it says `ask`; by the cluster's typed name where something is lost; by a button where
   * a person answers, and wherever the plan can lose keys, gives slots away or removes something.
   */
  confirmationOf(plan: Plan): Confirmation {
    if (this.answers['confirmed'] === true) return 'none';
    if (plan.losses.length > 0) return { word: this.#wordFor(plan.ref) };
    return this.#isPerson || isDestructive(plan) ? 'button' : 'none';
  }

  #wordFor(ref: ClusterRef): string {
    return isKubernetesRef(ref) ? ref.name : this.#parts.inventory.titleOf(ref);
  }
}
