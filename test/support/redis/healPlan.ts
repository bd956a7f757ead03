import type { Plan } from '../../../src/operations/plans/plan.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { planHeal } from '../../../src/operations/heal.ts';
import { readHealFacts } from '../../../src/operations/repair/openFacts.ts';
import type { Present } from './faultTools.ts';
import { readAnyway } from './readAnyway.ts';

/** What Heal would do now, or with a snapshot that was taken before, by what the servers say of their keys. */
export async function healPlan(cluster: Present, snapshot?: ClusterSnapshot): Promise<Plan> {
  const reading = snapshot ?? (await readAnyway(cluster));
  return planHeal(reading, await readHealFacts(reading, cluster.dialer));
}
