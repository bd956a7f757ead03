import { quantity } from '../model/quantity.ts';
import type { KubernetesAccess } from '../kubernetes/kubernetesAccess.ts';
import type { Outcome } from '../model/outcome.ts';
import { runUpgrade, type Upgraded, type UpgradePlan } from '../operations/upgrade.ts';
import type { Asking } from './asking.ts';
import type { Parts } from './parts.ts';
import { askPods } from './podAsking.ts';
import { runOperation } from './runOperation.ts';
import { waiting } from './waiting.ts';

interface Rolling {
  readonly plan: UpgradePlan;
  readonly access: KubernetesAccess;
  readonly asking: Asking;
  /** The verb on the dialog's button. */
  readonly verb: string;
  /** What was reached, as the message begins. */
  readonly message: string;
}

/** Shows a plan that recreates pods one after another, asks, and runs it. */
export async function runUpgraded(
  parts: Parts,
  { plan, access, asking, verb, message }: Rolling,
): Promise<Outcome | (Outcome & Upgraded)> {
  const { ref } = plan;
  return runOperation(parts, {
    plan,
    asking,
    verb,
    run: async (signal, report) => {
      const { pauseAgentOver, readNodeTimeout } = await parts.adapters.redis();
      const dialer = await parts.inventory.dialer(ref);
      const asked = askPods(access, await parts.adapters.reading(), () =>
        Promise.resolve(dialer.credentials),
      );
      try {
        const upgraded = await runUpgrade(plan, {
          access,
          signal,
          report,
          ...waiting,
          readNode: asked.readNode,
          readNodeTimeout,
          withNode: async (namespace, pod, port, use, nodeId) => {
            const connection = await asked.dial(namespace, pod, port, nodeId);
            try {
              return await use(connection);
            } finally {
              connection.close();
            }
          },
          pauseAgent: async (namespace, pod, port) => pauseAgentOver(await asked.dial(namespace, pod, port)),
        });
        const pods = upgraded.updatedPods.length;
        const text = `${message}: ${quantity(pods, 'pod')} recreated in ${upgraded.seconds.toFixed(0)} s.`;
        return { ...upgraded, outcome: 'done' as const, message: text };
      } finally {
        asked.close();
      }
    },
  });
}
