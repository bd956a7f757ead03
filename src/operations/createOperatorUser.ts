import type { Plan } from './plans/plan.ts';
import { makeStep, type Step } from './steps/index.ts';
import { quantity } from '../model/quantity.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { answers, nameOf, namesIn, refusal } from './servers/nodes.ts';
import type { OperatorUserFacts } from './users/facts.ts';
import { operatorName } from './users/rules.ts';
import { refuseIncomplete } from './refusals/refuseIncomplete.ts';

export const usualOperator = 'redis-cluster-operator';

export interface CreateOperatorUserRequest {
  readonly user: string;
}

/**
 * Plans the least user that this product needs, on every server and for pods to come. The password is in no plan: the
 * run is handed it. Throws a UserError where a server would be left without the user, or where it is somebody else's.
 */
export function planCreateOperatorUser(
  snapshot: ClusterSnapshot,
  { user }: CreateOperatorUserRequest,
  { existing, foreign, kept, notKept, withoutPassword }: OperatorUserFacts,
): Plan {
  refuseIncomplete(snapshot);
  checkName(user);
  refuseSilent(snapshot);
  const [other] = foreign;
  if (other !== undefined) {
    throw refusal(
      'unsafe',
      `User "${user}" on ${nameOf(snapshot, other)} has rights that this extension does not need, so something else uses it. Choose another name.`,
    );
  }
  const nodes = snapshot.nodes.map(({ id }) => id);
  const steps: readonly Step[] = [
    makeStep('createUser', { user, nodes }, namesIn(snapshot)),
    ...(kept === undefined ? [] : [makeStep('keepUser', { user, secret: kept }, namesIn(snapshot))]),
  ];
  return {
    title: `Create operator user ${user} on ${snapshot.name}`,
    ...{ ref: snapshot.ref, operation: 'createOperatorUser', request: { user }, steps },
    warnings: [
      `A password is generated and kept in VS Code’s secret storage. This extension then signs in to ${snapshot.name} as ${user}; “Sign Out” ends that.`,
      ...(existing.length === 0
        ? []
        : [`${user} exists on ${quantity(existing.length, 'server')}. Its password is replaced.`]),
      ...(notKept === undefined ? [] : [notKept]),
      ...(withoutPassword.length === 0
        ? []
        : [
            `${quantity(withoutPassword.length, 'server')} still ${withoutPassword.length === 1 ? 'accepts' : 'accept'} the default user without a password.`,
          ]),
    ],
    losses: [],
  };
}

function checkName(user: string): void {
  if (operatorName.test(user) && user !== 'default' && user !== 'rck8s-nobody') return;
  throw refusal(
    'invalid-input',
    `"${user}" cannot be the name of an operator user: 1 to 64 letters, digits, dots, hyphens and underscores, and not "default".`,
  );
}

/** The extension signs in as the new user everywhere, so a server without it could not be read any more. */
function refuseSilent({ nodes, loosePods }: ClusterSnapshot): void {
  const silent = nodes.filter((node) => !answers(node)).map(nodeName);
  const [first] = [...silent, ...loosePods.map(({ name }) => name)];
  if (first === undefined) return;
  throw refusal('unreachable', `${first} does not answer, and every server must get the user.`);
}
