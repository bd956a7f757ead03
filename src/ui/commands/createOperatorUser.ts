import * as vscode from 'vscode';
import { signInRefs } from '../../inventory/signIn.ts';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { planCreateOperatorUser, usualOperator } from '../../operations/createOperatorUser.ts';
import { randomPassword } from '../../operations/rotation/randomPassword.ts';
import { operatorName } from '../../operations/users/rules.ts';
import { readOperatorUserFacts } from '../../operations/users/facts.ts';
import { refuseIncomplete } from '../../operations/refusals/refuseIncomplete.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { runPlanned } from '../run/runPlanned.ts';
import { picked, textAnswer } from '../questions/target.ts';

/** Creates the least user that this product needs on every server, and signs in as that user from then on. */
export async function createOperatorUser(
  parts: Parts,
  argument: unknown,
): Promise<Outcome | (Outcome & { readonly user: string })> {
  const asking = new Asking(parts, argument);
  const snapshot = await parts.inventory.fresh(await asking.cluster());
  refuseIncomplete(snapshot);
  const user = await asking.or(textAnswer(asking.answers, 'user'), () => askName(snapshot));
  const { ref } = snapshot;
  const access = isKubernetesRef(ref) ? await parts.inventory.access(ref.context) : undefined;
  const facts = await readOperatorUserFacts(snapshot, user, await parts.inventory.dialer(ref), access);
  const plan = planCreateOperatorUser(snapshot, { user }, facts);
  const password = randomPassword();
  const result = await runPlanned(parts, {
    ...{ plan, asking, verb: 'Create User', newPassword: password },
    message: ({ cancelled }) =>
      cancelled
        ? `${user} may exist on some servers and is not used. Run it again to create it everywhere`
        : `Created user ${user} on all servers of ${snapshot.name}; this extension now signs in as ${user}`,
  });
  if (result.outcome !== 'done') return result;
  await signInAs(parts, snapshot, { username: user, password });
  return { ...result, user };
}

async function askName({ name }: ClusterSnapshot): Promise<string> {
  const options = {
    title: `Create Operator User on ${name}`,
    prompt: 'Enter a name for the user. It may run only the commands that this extension uses.',
    value: usualOperator,
    ignoreFocusOut: true,
    validateInput: (value: string) =>
      operatorName.test(value) ? undefined : 'Enter 1 to 64 letters, digits, dots, hyphens and underscores.',
  };
  return await picked(vscode.window.showInputBox(options));
}

/** As “Sign In…” does, once a server has accepted it. What was stored of TLS is kept. */
async function signInAs(
  { inventory, passwords }: Parts,
  { ref, workloads }: ClusterSnapshot,
  user: { readonly username: string; readonly password: string },
): Promise<void> {
  const tls = (await passwords.stored(ref))?.tls;
  const credentials = { ...user, ...(tls === undefined ? {} : { tls }) };
  await inventory.trySignIn(ref, credentials);
  for (const other of signInRefs({ ref, workloads })) await passwords.forget(other);
  await passwords.store(ref, credentials);
  await inventory.reconnect(ref);
}
