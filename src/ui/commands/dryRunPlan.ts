import { describeRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import { dryRun } from '../../operations/run/dryRun.ts';
import type { Parts } from '../parts.ts';
import { openPlanFile } from '../run/planFiles.ts';
import { openPorts } from '../run/runPlanned.ts';

/** Shows what running a saved plan now would do. Changes nothing. */
export async function dryRunPlan(
  parts: Parts,
  argument: unknown,
): Promise<Outcome & { readonly steps: readonly string[] }> {
  const { plan } = await openPlanFile(parts, argument);
  const { ports, close } = await openPorts(parts, plan, new AbortController().signal, () => undefined);
  try {
    const steps = await dryRun(plan, ports);
    const losses = plan.losses.map((loss) => `Cannot be undone: ${loss}`);
    await parts.documents.show(
      `Dry Run – ${plan.operation} ${parts.inventory.titleOf(plan.ref)}`,
      [
        ...[
          `Dry run of a saved plan (${plan.operation}) on ${parts.inventory.titleOf(plan.ref)}. Nothing was changed.`,
          describeRef(plan.ref),
          '',
        ],
        ...[...losses, ...plan.warnings, ...steps, ''],
      ].join('\n'),
    );
    return { outcome: 'done', message: `${plan.title}: dry run finished. Nothing was changed.`, steps };
  } finally {
    close();
  }
}
