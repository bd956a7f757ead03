import { hostNameOf, signInRefs } from '../../inventory/signIn.ts';
import { isKubernetesRef, type ClusterRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import { quantity } from '../../model/quantity.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { isUnread, unreadError, whyUnread } from '../../model/unread.ts';
import type { Parts } from '../parts.ts';
import { revealNew } from '../revealNew.ts';
import { credentialsIn, saysCredentials } from '../signIn/answers.ts';
import { askSignIn, type SignInQuestion } from '../signIn/askSignIn.ts';
import { answersOf, clusterOf } from '../questions/target.ts';

/**
 * Signs in to a cluster with a user name, a password and TLS. They are stored only once a server has accepted them, and
 * win over what the pods' spec says.
 */
export async function signIn(parts: Parts, argument: unknown): Promise<Outcome & { cluster: ClusterRef }> {
  const answers = answersOf(parts, argument);
  const ref = await clusterOf(parts, argument);
  const { inventory, passwords } = parts;
  const isPerson = !saysCredentials(answers);
  const attempt = (given: Parameters<typeof inventory.trySignIn>[1]): Promise<void> =>
    inventory.trySignIn(ref, given);
  const read = inventory.snapshot(ref);
  const credentials = isPerson
    ? await askSignIn({
        title: `Sign In to ${inventory.titleOf(ref)}`,
        host: isKubernetesRef(ref) ? '' : (hostNameOf(ref) ?? ''),
        problem: problemOf(read),
        before: await passwords.stored(ref),
        attempt,
      })
    : await credentialsIn(answers);
  if (!isPerson) await attempt(credentials);
  for (const other of signInRefs(read ?? { ref, workloads: [] })) await passwords.forget(other);
  await passwords.store(ref, credentials);
  await inventory.reconnect(ref);
  void revealNew(parts, ref, isPerson);
  return { outcome: 'done', message: `Signed in to ${await described(parts, ref)}.`, cluster: ref };
}

function problemOf(read: ClusterSnapshot | undefined): SignInQuestion['problem'] {
  if (read === undefined || !isUnread(read)) return undefined;
  return { reason: unreadError(read).reason, message: `It cannot be read: ${whyUnread(read)}.` };
}

/** How much of the cluster is read now. Once it is, it may be a part of one with another name. */
async function described({ inventory }: Parts, ref: ClusterRef): Promise<string> {
  const title = inventory.titleOf(ref);
  try {
    const { nodes } = await inventory.look(ref);
    const answered = nodes.filter(({ view }) => view !== undefined).length;
    return `${title}: ${answered} of ${quantity(nodes.length, 'node')} answered`;
  } catch (error) {
    if (error instanceof UserError) return title;
    throw error;
  }
}
