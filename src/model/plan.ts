import type { ClusterRef } from './clusterRef.ts';
import type { MoveOptions } from './moves.ts';
import { unionSlots, type SlotSet } from './slots.ts';

/** How a replica takes its master's place: with it, without waiting for it, or without asking the other masters. */
export type PromoteHow = 'handOver' | 'force' | 'takeover';

/**
 * What each kind of step says. Nodes are named by node id. A node that does not exist yet when the plan is made is
 * named by its pod (`pod`, `masterPod`) and its id is an empty text until the step is reached.
 */
export interface StepFields {
  /** Moves hash slots with their keys between two masters; `pod` stands for `to`. */
  readonly moveSlots: MoveOptions & {
    readonly from: string;
    readonly to: string;
    readonly pod?: string;
    readonly slots: SlotSet;
  };
  /**
   * `master` is whose place it takes, where nothing is left to do once that has a master again; `dead` are masters that
   * a person says are dead, which is taken for true while nothing contradicts it.
   */
  readonly promote: {
    readonly node: string;
    readonly how: PromoteHow;
    readonly master?: string;
    readonly dead?: readonly string[];
  };
  /** `pod` stands for `node`, `masterPod` for `master`. */
  readonly replicate: {
    readonly node: string;
    readonly pod?: string;
    readonly master: string;
    readonly masterPod?: string;
  };
  /** Sends CLUSTER MEET for a known node and that address, from every other node that needs it. */
  readonly meet: {
    readonly node: string;
    readonly host: string;
    readonly port: number;
    readonly busPort: number;
  };
  /** Makes empty servers that know nobody else know one another, each at the address where the others reach it. */
  readonly introduce: {
    readonly servers: readonly {
      readonly node: string;
      readonly host: string;
      readonly port: number;
      readonly busPort: number;
    }[];
  };
  /** Gives an empty master of a cluster that is being formed its slots and its replicas. */
  readonly formShard: {
    readonly node: string;
    readonly slots: SlotSet;
    readonly replicas: readonly string[];
  };
  /** On every node that answers, within the time for which a node remembers whom it forgot. */
  readonly forget: { readonly node: string };
  /** Only with no slots and no keys; the node gets another id. */
  readonly resetNode: { readonly node: string };
  /** `pod` stands for `to`. */
  readonly copyFunctions: { readonly from: string; readonly to: string; readonly pod?: string };
  /** `before` is the value to go back to. Never a password. */
  readonly setConfig: {
    readonly nodes: readonly string[];
    readonly name: string;
    readonly value: string;
    readonly before: string;
  };
  /** Writes a setting where pods find it when they start. */
  readonly keepSetting: { readonly configMap: string; readonly name: string; readonly value: string };
  /** On every server; the run is handed the password, which stands in no step. */
  readonly createUser: { readonly user: string; readonly nodes: readonly string[] };
  /** Writes that user where pods find it when they start. */
  readonly keepUser: { readonly user: string; readonly secret: string };
  readonly flush: { readonly nodes: readonly string[] };
  /**
   * Slots that no master serves; keys that the master holds in them stay. `dead` are nodes that a person says are dead,
   * which is taken for true while nothing contradicts it.
   */
  readonly assignSlots: {
    readonly node: string;
    readonly slots: SlotSet;
    readonly dead?: readonly string[];
  };
  /** Importing marks that name another node than the slots' owner come to name the owner; `node` has the marks. */
  readonly correctImports: { readonly node: string; readonly owner: string; readonly slots: SlotSet };
  /**
   * Keys that a master holds in slots that it does not serve go to the slots' owner, or to the master to which that one
   * is migrating them; then the slots are closed where the keys were.
   */
  readonly bringKeys: { readonly from: string; readonly to: string; readonly slots: SlotSet };
  /** Slots that the master owns and that stay with it, or that only its replicas call open, which refuse to be told themselves. */
  readonly closeSlots: { readonly node: string; readonly slots: SlotSet };
  /** Sets the replicas of a StatefulSet, and refuses where they are no longer `from`. */
  readonly setReplicas: { readonly workload: string; readonly from?: number; readonly pods: number };
  readonly waitForPods: { readonly workload?: string; readonly pods: number };
  /** `uid` is the pod's before: another one says that it was restarted. */
  readonly restartPod: { readonly pod: string; readonly uid?: string };
  /**
   * Deletes a pod that has ended. `isRecreated`: its owner makes one of the same name, which is waited for until its
   * server is a member again, where `node` says that it was one.
   */
  readonly replacePod: {
    readonly pod: string;
    readonly uid: string;
    readonly isRecreated: boolean;
    readonly node?: string;
  };
  /** Makes empty masters of pods that have just joined, while the agents are held. */
  readonly emptyMaster: { readonly pods: readonly string[] };
  /** With `uids`, in the order of the claims, only these very volumes and none that has the name of one by then. */
  readonly deleteVolumes: { readonly claims: readonly string[]; readonly uids?: readonly string[] };
  readonly joinNodes: object;
  readonly applyManifests: object;
  readonly waitForCluster: object;
  readonly configure: object;
  readonly changeObject: object;
  readonly deleteObjects: { readonly volumes: boolean };
}

export type StepKind = keyof StepFields;

/** One kind of step; `text` is what people read. */
export type StepOf<K extends StepKind> = { readonly kind: K; readonly text: string } & StepFields[K];

/** One step of a plan, as data: the dialog, the plan's document, the journal and the run all use the same value. */
export type Step = { [K in StepKind]: StepOf<K> }[StepKind];

/** A change to a cluster, shown before it runs. */
export interface Plan {
  readonly title: string;
  readonly ref: ClusterRef;
  /** The command that makes such plans, without `redisCluster.`. */
  readonly operation: string;
  /** What that command was asked, as plain JSON, so that the plan can be saved and made again. Never a secret. */
  readonly request: object;
  readonly steps: readonly Step[];
  /** What a person should know before saying yes; not a reason to refuse. */
  readonly warnings: readonly string[];
  /** What will be gone afterwards; a plan with losses asks for a typed word. */
  readonly losses: readonly string[];
}

/** Whether a step can lose keys, gives slots away, or removes a node, an object or a volume. Each kind has to say. */
const destroys: { readonly [K in StepKind]: boolean | ((step: StepOf<K>) => boolean) } = {
  moveSlots: false,
  promote: ({ how }) => how !== 'handOver',
  replicate: false,
  meet: false,
  introduce: false,
  formShard: false,
  forget: true,
  resetNode: true,
  copyFunctions: false,
  setConfig: false,
  keepSetting: false,
  createUser: false,
  keepUser: false,
  flush: true,
  assignSlots: true,
  correctImports: false,
  bringKeys: false,
  closeSlots: false,
  setReplicas: ({ from, pods }) => from !== undefined && pods < from,
  waitForPods: false,
  restartPod: false,
  replacePod: true,
  emptyMaster: false,
  deleteVolumes: true,
  joinNodes: false,
  applyManifests: false,
  waitForCluster: false,
  configure: false,
  changeObject: false,
  deleteObjects: true,
};

/** Whether a plan is to be confirmed by a person even where the caller has answered every question. */
export function isDestructive({ steps, losses }: Pick<Plan, 'steps' | 'losses'>): boolean {
  return losses.length > 0 || steps.some((step) => isDestroying(step));
}

function isDestroying<K extends StepKind>(step: StepOf<K>): boolean {
  const does: boolean | ((step: StepOf<K>) => boolean) = destroys[step.kind];
  return typeof does === 'boolean' ? does : does(step);
}

/** The slots that a plan's steps name; undefined where they name none, and the run itself decides which it opens. */
export function slotsOf({ steps }: Pick<Plan, 'steps'>): SlotSet | undefined {
  const named = steps.flatMap((step) => ('slots' in step ? [step.slots] : []));
  return named.length === 0 ? undefined : unionSlots(...named);
}

/** How far a running operation is; `done` and `total` count what `unit` says. */
export interface Progress {
  readonly text: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: string;
  /** Why nothing goes on at present, as a sentence; absent while it does. */
  readonly paused?: string;
}

/** How much of it is done, such as `1,200 of 5,461 slots`; nothing where that is not counted. */
export function countText({ done = 0, total, unit }: Progress): readonly string[] {
  if (total === undefined) return [];
  const numbers = `${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')}`;
  return [unit === undefined ? numbers : `${numbers} ${unit}`];
}

export type Report = (progress: Progress) => void;
