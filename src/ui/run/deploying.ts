import type { KubernetesAccess } from '../../kubernetes/kubernetesAccess.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { DeployPlan } from '../../operations/deploy.ts';
import type { DeployAnswers } from '../../operations/manifests/answers.ts';
import { certificateSecret } from '../../operations/manifests/facts.ts';
import { generatedSecret } from '../../operations/manifests/render.ts';
import type { Credentials } from '../../redis/nodeConnection.ts';
import type { Parts } from '../parts.ts';
import type { Asking } from '../questions/asking.ts';
import { runPlanned } from './runPlanned.ts';

export interface Deployment {
  readonly access: KubernetesAccess;
  readonly answers: DeployAnswers;
  readonly plan: DeployPlan;
}

/** Runs a plan that deploys, until every node of the new cluster has all slots covered. */
export async function deployPlanned(
  parts: Parts,
  asking: Asking,
  { access, answers, plan }: Deployment,
): Promise<Outcome> {
  const { name } = answers;
  return await runPlanned(parts, {
    ...{ plan, asking, verb: 'Deploy' },
    deployment: { manifests: plan.objects, credentials: () => credentialsOf(access, answers) },
    message: ({ seconds, cancelled }) =>
      cancelled
        ? `Started to deploy ${name}`
        : `${name} is ready after ${seconds.toFixed(1)} s: every node reports all 16,384 slots covered`,
  });
}

async function credentialsOf(
  access: KubernetesAccess,
  { auth, name, namespace, overlays = [] }: DeployAnswers,
): Promise<Credentials> {
  const own = { secret: certificateSecret(name), key: 'ca.crt' };
  const [password, ca] = await Promise.all([
    auth === 'none'
      ? undefined
      : access.readSecret(namespace, auth === 'generate' ? generatedSecret(name) : auth),
    overlays.includes('tls') ? access.readSecret(namespace, own) : undefined,
  ]);
  return {
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { tls: { ca } }),
  };
}
