import { randomBytes } from 'node:crypto';
import { isKubernetesRef } from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import {
  prepareRotation,
  runRotation,
  type Answer,
  type PodServer,
  type Rotated,
} from '../../operations/rotatePassword.ts';
import { Asking } from '../asking.ts';
import type { Parts } from '../parts.ts';
import { runOperation } from '../runOperation.ts';
import { waiting } from '../waiting.ts';

/** Gives all servers of a cluster a new password, without a restart. */
export async function rotatePassword(parts: Parts, argument: unknown): Promise<Outcome | Rotated> {
  const asking = new Asking(parts, argument);
  const snapshot = await parts.inventory.fresh(await asking.cluster());
  const { ref } = snapshot;
  const access = await parts.inventory.access(isKubernetesRef(ref) ? ref.context : '');
  const plan = await prepareRotation(access, snapshot);
  return runOperation(parts, {
    plan,
    asking,
    verb: 'Rotate Password',
    run: async (signal, report) => {
      const redis = await parts.adapters.reading();
      const { credentials } = await parts.inventory.dialer(ref);
      const tryPassword = async ({ pod, id }: PodServer, password: string): Promise<Answer> => {
        const tls = credentials.tls === undefined ? {} : { tls: credentials.tls };
        try {
          const forward = await access.forward(pod.namespace, pod.name, pod.port, signal);
          try {
            const endpoint = { path: forward.path, name: `pod ${pod.name}` };
            const connection = await redis.connectNode(endpoint, { password, ...tls });
            const found = await redis.readNodeView(connection).finally(() => {
              connection.close();
            });
            return found.self.id === id ? 'accepted' : 'silent';
          } finally {
            forward.close();
          }
        } catch (error) {
          return error instanceof UserError && error.reason === 'sign-in-needed' ? 'refused' : 'silent';
        }
      };
      const randomPassword = (): string => randomBytes(24).toString('base64url');
      const rotated = await runRotation(plan, {
        access,
        signal,
        report,
        ...waiting,
        randomPassword,
        tryPassword,
      });
      // The Secret has the password that is valid now; one that a person has stored would win over it.
      const stored = await parts.passwords.stored(ref);
      if (stored !== undefined && stored.username === undefined) await parts.passwords.forget(ref);
      return rotated;
    },
  });
}
