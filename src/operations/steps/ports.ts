import type { KubernetesAccess, KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { UserError } from '../../model/errors.ts';
import type { Report } from '../../model/progress.ts';
import type { SlotSet } from '../../model/slots.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import type * as redisEntry from '../../redis/entry.ts';
import type { ConcurrentMoves } from '../../redis/moveSlots/concurrentMoves.ts';
import type { ClusterDialer } from '../../redis/nodeConnection.ts';
import type { FolderFiles } from '../backups/readBackup.ts';
import type { Answer } from '../rotation/servers.ts';
import type { PodPorts, UpgradePorts } from '../statefulSets/ports.ts';

/** What steps need of Kubernetes and of servers in pods that are no members yet. */
export interface KubernetesPorts extends PodPorts {
  readonly access: KubernetesAccess;
  readonly namespace: string;
}

/** What steps need that change the password of a cluster. */
export interface PasswordPorts {
  /** Signs in to a member again, over a connection of its own. */
  readonly tried: (server: ServerInPod, password: string) => Promise<Answer>;
  /** Forgets a password that a person has stored for the cluster. */
  readonly forgetStored: () => Promise<void>;
}

/** A member by its pod and its node id. */
interface ServerInPod {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  readonly node: string;
}

/** What a step did, for the result and the message at the end; figures of all steps are added up. */
export interface Tally {
  readonly slots?: number;
  readonly keys?: number;
  /** How many values that were written were compared afterwards, and are equal. */
  readonly compared?: number;
  /** By which way slots were moved. */
  readonly method?: string;
  /** How long clients of either end had to wait at most; milliseconds. */
  readonly longestWaitMs?: number;
  /** A pod that was restarted. */
  readonly restarted?: string;
  /** Objects that were deleted, such as `StatefulSet shop`. */
  readonly deleted?: readonly string[];
}

/** Slots that a step left where they are while it moved the others; `why` is one or more sentences. */
export interface Left {
  readonly slots: SlotSet;
  readonly why: string;
}

/** What a step may use while it acts. */
export interface StepPorts {
  /** The reading against which the step was checked. */
  readonly snapshot: ClusterSnapshot;
  /** A reading that begins after the call. */
  readonly readSnapshot: () => Promise<ClusterSnapshot>;
  readonly dialer: ClusterDialer;
  readonly redis: typeof redisEntry;
  /** The run's moves of slots, which know of each other. */
  readonly moves: ConcurrentMoves;
  /** Absent where the cluster is not in Kubernetes. */
  readonly kubernetes?: KubernetesPorts;
  /** The password of a user that the plan creates: no step has it, as steps stand in journals and logs. */
  readonly newPassword?: string;
  /** The objects of a cluster that is deployed, made of its answers. */
  readonly manifests?: readonly KubernetesObject[];
  /** Absent where the cluster is not in Kubernetes. */
  readonly passwords?: PasswordPorts;
  /** Folders of this computer; absent where a run has none. */
  readonly files?: FolderFiles;
  readonly tally: (figures: Tally) => void;
  /** Says that the step did all but this, which is no failure of the plan's other moves. */
  readonly leave: (left: Left) => void;
  /**
   * Says how a part of what the step does is undone. That happens where this step fails, or one that follows it before
   * any of another kind has begun.
   */
  readonly takenBackBy: (undo: () => Promise<unknown>) => void;
  /** Ends the run when the steps under way have ended, as if it was cancelled; `why` goes on from "Stopped". */
  readonly endRun: (why: string) => void;
  /**
   * Hands a hold over to the run, which lets go of it at its end. Members need none: the run holds the agents of all
   * nodes that answer, and of those that join while it runs.
   */
  readonly keepPaused: (held: { release(): void }) => void;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** Ends early, without throwing, when the signal is aborted. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** What a step about pods needs. Throws a UserError where the cluster is not in Kubernetes. */
export function kubernetesOf({ kubernetes, snapshot }: StepPorts): KubernetesPorts {
  if (kubernetes !== undefined) return kubernetes;
  throw new UserError('invalid-input', `${snapshot.name} is not in Kubernetes. Nothing was changed.`);
}

/** What a step that creates a user needs. Throws where the run was handed none, which is a bug of the command. */
export function newPasswordOf({ newPassword }: StepPorts): string {
  if (newPassword === undefined) throw new Error('the run was handed no password for the user');
  return newPassword;
}

/** What a step that deploys a cluster needs. Throws where the run was handed none, which is a bug of the command. */
export function manifestsOf({ manifests }: StepPorts): readonly KubernetesObject[] {
  if (manifests === undefined) throw new Error('the run was handed no manifests');
  return manifests;
}

/** What a step about the password needs. Throws where the run was handed none, which is a bug of the command. */
export function passwordsOf({ passwords }: StepPorts): PasswordPorts {
  if (passwords === undefined) throw new Error('the run was handed no passwords');
  return passwords;
}

/** What a step that reads files needs. Throws where the run was handed none, which is a bug of the command. */
export function filesOf({ files }: StepPorts): FolderFiles {
  if (files === undefined) throw new Error('the run was handed no folders');
  return files;
}

/** What a step that renews pods, or waits for them, hands to those who do. */
export function rolloutPorts(ports: StepPorts): UpgradePorts {
  const { access, readNode, withNode } = kubernetesOf(ports);
  const { signal, report, now, delay, redis } = ports;
  return { access, readNode, withNode, signal, report, now, delay, readNodeTimeout: redis.readNodeTimeout };
}
