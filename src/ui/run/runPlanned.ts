import { quantity } from '../../model/quantity.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Report } from '../../model/progress.ts';
import type { Plan } from '../../operations/plans/plan.ts';
import type { Outcome } from '../../model/outcome.ts';
import { slotsIn, type PlanResult } from '../../operations/run/planResult.ts';
import { runPlan, type RunPorts } from '../../operations/run/runPlan.ts';
import { asksByItself } from '../../operations/steps/index.ts';
import type { KubernetesPorts } from '../../operations/steps/ports.ts';
import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import type { ClusterDialer, Credentials } from '../../redis/nodeConnection.ts';
import type { Asking } from '../questions/asking.ts';
import { folderFiles } from '../folderFiles.ts';
import { namedBigKeys } from '../questions/namedBigKeys.ts';
import type { Parts } from '../parts.ts';
import { askPods, type PodAsking } from '../podAsking.ts';
import { runOperation } from './runOperation.ts';
import { passwordTrying } from '../passwordTrying.ts';
import { waiting } from './waiting.ts';

interface Planned {
  readonly plan: Plan;
  readonly asking: Asking;
  /** The verb on the dialog's button. */
  readonly verb: string;
  /** Its steps change pods, and may begin while not a single server can be read. */
  readonly evenUnread?: boolean;
  /** The password of a user that the plan creates. */
  readonly newPassword?: string;
  /** What a plan that deploys a cluster creates, and what its servers are shown to sign in. */
  readonly deployment?: {
    readonly manifests: readonly KubernetesObject[];
    readonly credentials: () => Promise<Credentials>;
  };
  /** What was done, as a sentence without its full stop; also of an operation that was cancelled. */
  readonly message: (result: PlanResult) => string;
}

/** Shows a plan, asks, and runs its steps by the one loop that runs all plans. The way for every new operation. */
export async function runPlanned(
  parts: Parts,
  { plan: asPlanned, asking, verb, message, newPassword, deployment, evenUnread = false }: Planned,
): Promise<Outcome | (Outcome & PlanResult)> {
  const isShown = asking.confirmationOf(asPlanned) !== 'none';
  const plan = isShown ? await namedBigKeys(parts, asPlanned) : asPlanned;
  return runOperation(parts, {
    ...{ plan, asking, verb },
    run: async (signal, report, observer) => {
      const opening = {
        evenUnread,
        ...(deployment === undefined ? {} : { credentials: deployment.credentials }),
      };
      const { ports, close } = await openPorts(parts, plan, signal, report, opening);
      try {
        const own = {
          ...(newPassword === undefined ? {} : { newPassword }),
          ...(deployment === undefined ? {} : { manifests: deployment.manifests }),
        };
        const result = await runPlan(plan, { ...ports, ...own, observer });
        return { ...result, ...endOf(plan, message(result), result) };
      } finally {
        close();
      }
    },
  });
}

/** What was reached where all that a plan does is to move slots. */
export function movedText(plan: Plan, result: PlanResult): string {
  const { movedSlots, movedKeys, seconds, cancelled, leftSlots, longestWaitMs } = result;
  const isAll = !cancelled && leftSlots === undefined;
  const slots = isAll
    ? quantity(movedSlots, 'slot')
    : `${movedSlots.toLocaleString('en-US')} of ${quantity(slotsIn(plan), 'slot')}`;
  const open = cancelled ? '; no slot is left open' : '';
  const wait = longestWaitMs === undefined ? '' : `; longest client wait: ${waitText(longestWaitMs)}`;
  return `Moved ${slots} with ${quantity(movedKeys, 'key')} in ${seconds.toFixed(1)} s${wait}${open}`;
}

/** What was reached where pods were restarted. @param done, begun what was done, or only begun, with the cluster's name */
export function restartedText(
  { done, begun }: { readonly done: string; readonly begun: string },
  { updatedPods = [], seconds, cancelled }: PlanResult,
): string {
  return `${cancelled ? begun : done}: ${quantity(updatedPods.length, 'pod')} recreated in ${seconds.toFixed(0)} s`;
}

function waitText(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** How a run ended that nothing was thrown in. */
function endOf(plan: Plan, reached: string, result: PlanResult): Outcome {
  const { leftWhy, notes = [], steps } = result;
  if (result.cancelled) {
    const message = [stoppedText(reached, result), ...(leftWhy ?? []), ...notes].join(' ');
    return { outcome: 'cancelled', message };
  }
  if (leftWhy === undefined) return { outcome: 'done', message: `${reached}.` };
  const total = plan.steps.length;
  const done = total === 1 ? [] : [`${steps} of ${quantity(total, 'step')} done.`];
  return { outcome: 'partial', message: [`${reached}.`, ...done, ...leftWhy].join(' ') };
}

function stoppedText(reached: string, { why }: PlanResult): string {
  if (why === undefined) return `Cancelled. ${reached}.`;
  return `Stopped ${why}. ${reached}. Completed steps are kept.`;
}

/** For plans of which no server is read: of a cluster that is deleted there may be none. */
const noDialer: ClusterDialer = {
  credentials: {},
  dial: () => Promise.reject(new Error('the plan dials no node')),
};

interface Opening {
  readonly evenUnread?: boolean;
  /** What servers are shown that have not been read yet. */
  readonly credentials?: () => Promise<Credentials>;
}

/** What a plan needs to be run, or to be tried without changing anything. */
export async function openPorts(
  parts: Parts,
  plan: Plan,
  signal: AbortSignal,
  report: Report,
  { evenUnread = false, credentials: given }: Opening = {},
): Promise<{ readonly ports: RunPorts; readonly close: () => void }> {
  const { ref } = plan;
  const redis = await parts.adapters.redis();
  const isAsking = asksByItself(plan);
  const dialer = isAsking ? noDialer : await parts.inventory.dialer(ref);
  const readSnapshot: RunPorts['readSnapshot'] = () =>
    evenUnread || isAsking ? parts.inventory.look(ref) : parts.inventory.fresh(ref);
  const ports = { readSnapshot, dialer, redis, report, signal, files: folderFiles, ...waiting };
  if (!isKubernetesRef(ref)) return { ports, close: () => undefined };
  const access = await parts.inventory.access(ref.context);
  const reading = await parts.adapters.reading();
  let known = isAsking ? undefined : dialer.credentials;
  const credentials =
    given ?? (async (): Promise<Credentials> => (known ??= (await parts.inventory.dialer(ref)).credentials));
  const asking = askPods(access, reading, credentials);
  const kubernetes = { access, namespace: ref.namespace, ...podPorts(asking, redis.pauseAgentOver) };
  const passwords = {
    tried: passwordTrying(access, reading, credentials),
    forgetStored: async () => {
      const stored = await parts.passwords.stored(ref);
      if (stored !== undefined && stored.username === undefined) await parts.passwords.forget(ref);
    },
  };
  return {
    ports: { ...ports, kubernetes, passwords },
    close: () => {
      asking.close();
    },
  };
}

type PauseAgent = Awaited<ReturnType<Parts['adapters']['redis']>>['pauseAgentOver'];

function podPorts(
  asking: PodAsking,
  pauseOver: PauseAgent,
): Pick<KubernetesPorts, 'readNode' | 'withNode' | 'pauseAgent'> {
  return {
    readNode: asking.readNode,
    withNode: async (namespace, pod, port, use, nodeId) => {
      const connection = await asking.dial(namespace, pod, port, nodeId);
      try {
        return await use(connection);
      } finally {
        connection.close();
      }
    },
    pauseAgent: async (namespace, pod, port) => pauseOver(await asking.dial(namespace, pod, port)),
  };
}
