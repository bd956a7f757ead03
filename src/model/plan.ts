import type { ClusterRef } from './clusterRef.ts';
import type { SlotSet } from './slots.ts';

/** One step of a plan, as data: the dialog, the plan's document, the journal and the run all use the same value. */
export type Step =
  | {
      readonly kind: 'moveSlots';
      readonly from: string;
      readonly to: string;
      readonly slots: SlotSet;
      readonly text: string;
    }
  | { readonly kind: 'setReplicas'; readonly workload: string; readonly pods: number; readonly text: string }
  | { readonly kind: 'waitForPods'; readonly pods: number; readonly text: string }
  | { readonly kind: 'joinNodes'; readonly text: string }
  | { readonly kind: 'applyManifests'; readonly text: string }
  | { readonly kind: 'waitForCluster'; readonly text: string }
  | { readonly kind: 'configure'; readonly text: string }
  | { readonly kind: 'changeObject'; readonly text: string }
  | { readonly kind: 'restartPod'; readonly pod: string; readonly text: string }
  | { readonly kind: 'deleteObjects'; readonly volumes: boolean; readonly text: string };

/** A change to a cluster, shown before it runs. */
export interface Plan {
  readonly title: string;
  readonly ref: ClusterRef;
  readonly steps: readonly Step[];
  /** What a person should know before saying yes; not a reason to refuse. */
  readonly warnings: readonly string[];
  /** What will be gone afterwards; a plan with losses asks for a typed word. */
  readonly losses: readonly string[];
}

/** How far a running operation is; `done` and `total` count what `unit` says. */
export interface Progress {
  readonly text: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: string;
}

export type Report = (progress: Progress) => void;
