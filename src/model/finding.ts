import type { SlotSet } from './slots.ts';

export type Severity = 'error' | 'warning' | 'info';

/** One thing a rule found wrong, with what shows it. */
export interface Finding {
  /** The rule's name, fixed: tests, tasks and documentation refer to it. */
  readonly rule: string;
  readonly severity: Severity;
  /** What it is in two or three words, where the rule finds several things. */
  readonly headline?: string;
  /** One sentence that stands alone. */
  readonly message: string;
  /** What was seen that shows it, one line each. */
  readonly evidence: readonly string[];
  /** What to do about it, in words. */
  readonly remedy?: string;
  readonly nodeIds: readonly string[];
  readonly slots?: SlotSet;
  /** What runs on the cluster explains it: no fault while that lasts. */
  readonly expected?: true;
}
