import { quantity } from '../../model/quantity.ts';
import { UserError } from '../../model/errors.ts';
import { podCount, type DeployAnswers } from './answers.ts';
import type { LeftClaim } from '../statefulSets/claims.ts';
import type { DeployFacts } from './facts.ts';
import { claimRecord } from './render.ts';

/** As many pods as there were, so that every copy is there again: the cluster may have been scaled up. */
export function adoptedPods(answers: DeployAnswers, claims: readonly LeftClaim[]): number {
  const last = claims.at(-1)?.ordinal ?? -1;
  return answers.adopt === true ? Math.max(podCount(answers), last + 1) : podCount(answers);
}

/** The pods of an earlier cluster whose volume is not there any more, though later ones are. */
export function missingOrdinals(claims: readonly LeftClaim[]): readonly number[] {
  const there = new Set(claims.map(({ ordinal }) => ordinal));
  const last = claims.at(-1)?.ordinal ?? -1;
  return Array.from({ length: last + 1 }, (_, ordinal) => ordinal).filter((ordinal) => !there.has(ordinal));
}

/**
 * Whether the deployment takes over volumes of an earlier cluster. Throws a UserError where there are some and it is
 * not known, or not wanted, that they fit: a volume brings its node's identity, slots and keys with it.
 */
export function checkAdoption(context: string, answers: DeployAnswers, facts: DeployFacts): boolean {
  const { claims } = facts;
  if (claims.length === 0) return false;
  const problem = adoptionProblem(answers, facts);
  const { namespace, name } = answers;
  const there = `Volumes of an earlier cluster "${name}" still exist (context ${context}, namespace ${namespace}): ${claims.map((claim) => claim.name).join(', ')}.`;
  const ways = 'Delete these PersistentVolumeClaims and the keys on them, or choose another name.';
  if (problem !== undefined)
    throw new UserError('already-exists', `${there} ${problem} ${ways} Nothing was changed.`);
  if (answers.adopt !== true)
    throw new UserError(
      'already-exists',
      `${there} They are of the same shape and password: with "adopt": true this deployment reuses them with their keys. Otherwise: ${ways} Nothing was changed.`,
    );
  return true;
}

/** Why the volumes cannot be taken over, or undefined where they can. */
export function adoptionProblem(
  answers: DeployAnswers,
  { claims, secrets }: DeployFacts,
): string | undefined {
  const wanted = claimRecord(answers);
  if (answers.overlays?.includes('dev') === true)
    return 'The overlay dev has no volumes, so it would not use them.';
  const strange = claims.find(({ record }) => record === undefined);
  if (strange !== undefined)
    return `${strange.name} does not record which cluster it belonged to, so they cannot be reused; apply the manifests they were created with.`;
  for (const { name, record } of claims) {
    if (record !== undefined && record.shape !== wanted.shape)
      return `${name} is of a cluster of ${words(record.shape)}, not ${words(wanted.shape)}: deploy that shape to reuse them.`;
    if (record !== undefined && record.password !== wanted.password)
      return `${name} is of a cluster with ${password(record.password)}, not ${password(wanted.password)}: use the same password to reuse them.`;
  }
  const [secret] = wanted.password.split('/');
  if (answers.auth === 'generate' && secret !== undefined && secrets.get(secret) === undefined)
    return `Their password's Secret "${secret}" no longer exists: create it again with the same password to reuse them.`;
  return undefined;
}

function words(shape: string): string {
  const [masters = 0, replicas = 0] = shape.split('x').map(Number);
  return `${quantity(masters, 'master')} with ${quantity(replicas, 'replica')} each`;
}

function password(record: string): string {
  return record === 'none' ? 'no password' : `the password of ${record}`;
}
