import { isKubernetesRef, type ClusterRef } from '../../model/clusterRef.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import { isDestructive } from '../../operations/steps/index.ts';
import { guardedName, guardOf } from '../../model/guards.ts';
import { refuseReadOnly } from '../../operations/refusals/refuseReadOnly.ts';
import type { Parts } from '../parts.ts';
import { readSettings } from '../settings.ts';
import { answersOf, clusterOf, namesCluster, rowTarget, type Answers } from './target.ts';
import type { RowTarget } from '../tree/row.ts';

/** How a change is confirmed: not at all, by a button, or by a typed word. */
type Confirmation = 'none' | 'button' | { readonly words: readonly TypedWord[] };

/** What a person types, and the sentence that says why. */
export interface TypedWord {
  readonly word: string;
  readonly why: string;
}

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
  #isConfirmed = false;

  /** @param argument the command's: a tree row, an object with the answers, or nothing */
  constructor(parts: Parts, argument: unknown) {
    this.#parts = parts;
    this.#argument = argument;
    this.answers = answersOf(parts, argument);
    this.target = rowTarget(parts, argument);
    this.#isPerson = Object.keys(this.answers).length === 0 || this.answers['ask'] === true;
  }

  /** Whether a person started the command or has been asked something. */
  get isPerson(): boolean {
    return this.#isPerson;
  }

  /** The cluster to change that the row or the answers name, or one that a person picks. Throws where it is read-only. */
  async cluster(): Promise<ClusterRef> {
    if (!namesCluster(this.#parts, this.#argument)) this.#isPerson = true;
    const ref = await clusterOf(this.#parts, this.#argument);
    // Before anything is asked: the answers would be for nothing.
    refuseReadOnly(ref, readSettings().guards);
    return ref;
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

  /** For what comes after a plan that said so and was confirmed, such as a restore into the cluster that it deployed. */
  confirmed(): Asking {
    const next = new Asking(this.#parts, this.#argument);
    next.#isConfirmed = true;
    return next;
  }

  /**
   * By the typed name of the context where that is protected, whatever the caller says. Otherwise not at all where it says
   * `confirmed`; by the cluster's typed name where something is lost; by a button where it says `ask`, where a person
   * answers, and wherever the plan can lose keys, gives slots away or removes something.
   */
  confirmationOf(plan: Plan): Confirmation {
    if (this.#isConfirmed) return 'none';
    const isConfirmed = this.answers['confirmed'] === true;
    const loses = !isConfirmed && plan.losses.length > 0;
    const words = [
      ...(guardOf(plan.ref, readSettings().guards) === 'protected' ? [protectedWord(plan.ref)] : []),
      ...(loses
        ? [{ word: this.#wordFor(plan.ref), why: `This cannot be undone: ${plan.losses.join(' ')}` }]
        : []),
    ];
    if (words.length > 0) return { words };
    if (isConfirmed) return 'none';
    return this.#isPerson || isDestructive(plan) ? 'button' : 'none';
  }

  #wordFor(ref: ClusterRef): string {
    return isKubernetesRef(ref) ? ref.name : this.#parts.inventory.titleOf(ref);
  }
}

function protectedWord(ref: ClusterRef): TypedWord {
  const word = guardedName(ref);
  return { word, why: `${isKubernetesRef(ref) ? 'Context' : 'The cluster at'} ${word} is protected.` };
}
