import * as z from 'zod/mini';
import { UserError } from '../../model/errors.ts';
import type { SlotSet } from '../../model/slots.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { optional, strictObject, type Fields } from './fields.ts';
import type { StepPorts } from './ports.ts';
import type { Shell } from './shell.ts';

/** One step of a kind, as data: the dialog, the plan's document, the journal and the run all use the same value. */
export type StepData<K extends string, F extends Fields> = {
  readonly kind: K;
  /** What people read, made by `makeStep`. */
  readonly text: string;
} & Readonly<z.output<z.ZodMiniObject<F, z.core.$strict>>>;

/** What people call a node. */
export type NameOf = (id: string) => string;

/** What a kind of step says of one of its steps, and how it is run. */
export interface StepActions<S> {
  /** What the step does, from its fields alone: what a file says about a step is nobody's word to confirm by. */
  readonly text: (step: S, nameOf: NameOf) => string;
  /** What is permanently lost afterwards; undefined where nothing is. */
  readonly loss: (step: S, nameOf: NameOf) => string | undefined;
  /** Whether it can lose keys, gives slots away, or removes a node, an object or a volume. */
  readonly destroys: (step: S) => boolean;
  /**
   * Set where doing it once more would undo what came after it, such as keys that were written since. What a journal says
   * is done is then not resumed, whatever the servers say by now.
   */
  readonly onlyOnce?: true;
  /** What does the same in a shell; `noCommand` where nothing does. */
  readonly command: (step: S, shell: Shell) => readonly string[];
  /** Whether the agents in the pods have to work while it acts; otherwise they stand back. */
  readonly needsAgents: (step: S) => boolean;
  /** Where it shows that the step is done: in a reading of all servers, or in what `isDone` asks for by itself. */
  readonly shownBy: 'snapshot' | 'asking';
  /** What a person has to know where a run stops after this step has begun, beside how to resume it. */
  readonly ifStopped?: (step: S) => string | undefined;
  /** What it moves between which two nodes, for kinds that move slots: these go on where one of them left some slots. */
  readonly move?: (step: S) => { readonly slots: SlotSet; readonly ends: readonly [string, string] };
  /** Whether it may be under way at the same time as another step of its kind. Absent where each goes alone. */
  readonly goesWith?: (step: S, other: S) => boolean;
  /** Puts node ids where the step names nodes by their pods. Absent for kinds that name none so. */
  readonly withNodes?: (step: S, nodeIn: (pod: string) => string) => S;
  /** Whether the servers say that this is so already: then it is not done again. After `act` it has to be true. */
  readonly isDone: (step: S, snapshot: ClusterSnapshot, ports: StepPorts) => boolean | Promise<boolean>;
  /** Throws a UserError where the step must not run now. Each kind states its own preconditions. */
  readonly check: (step: S, snapshot: ClusterSnapshot, ports: StepPorts) => void | Promise<void>;
  /** Does it, and waits until the servers took it. May end early, without an error, when the signal is aborted. */
  readonly act: (step: S, ports: StepPorts) => Promise<void>;
}

/** All there is to say of one kind of step. `runPlan` calls the last three in this order, each on a fresh reading. */
export interface StepDefinition<K extends string, F extends Fields> extends StepActions<StepData<K, F>> {
  readonly kind: K;
  /** What such steps do, for those who read or write plan files. */
  readonly description: string;
  readonly fields: F;
  /** The fields of a step as they stand in a file. */
  readonly example: z.input<z.ZodMiniObject<F, z.core.$strict>>;
  /** Whether its fields say all that it takes to run it, so that it may stand in a file. */
  readonly isSaved: boolean;
  /** Whether an operator that manages the cluster may undo it, since it sees roles or slots otherwise. */
  readonly mayBeUndone: boolean;
}

/** Where no step, loss or command is to be told. */
export const never = (): boolean => false;
export const always = (): boolean => true;
export const noLoss = (): undefined => undefined;
/** For kinds that lose nothing, give no slots away and remove nothing. */
export const losesNothing = { loss: noLoss, destroys: never };
export const noCommand = (): readonly string[] => ['# No redis-cli or kubectl command does this step.'];

/** The strict schema of a kind's steps as they stand in a file; their texts are made again. */
export function schemaOf({
  kind,
  fields,
  description,
}: Pick<StepDefinition<string, Fields>, 'kind' | 'fields' | 'description'>) {
  return strictObject(
    { kind: z.literal(kind), text: madeText, ...fields },
    { object: 'an object', field: 'a field of such a step' },
  ).check(z.meta({ title: kind, description }));
}

const madeText = optional(
  z.string('a text'),
  'For people who read the file; recreated from the other fields before the step runs.',
);

/** The node of a pod. Throws a UserError where the pod holds no member of the cluster. */
export function nodeIn(pod: string, snapshot: ClusterSnapshot): string {
  const node = snapshot.nodes.find((candidate) => candidate.pod?.name === pod);
  if (node !== undefined) return node.id;
  throw new UserError('not-found', `The server in pod ${pod} is not a member of ${snapshot.name} (yet).`);
}
