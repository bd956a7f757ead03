import { UserError } from '../../model/errors.ts';
import type { PodFacts } from '../../model/snapshot.ts';
import { secretExample, secretFields } from './passwordSecret.ts';
import { listOf, nodeId, objectName, strictObject } from '../steps/fields.ts';
import { kubernetesOf, passwordsOf, type StepPorts } from '../steps/ports.ts';

/** What a server says to a password; `silent` also where another server has taken its pod's place. */
export type Answer = 'accepted' | 'refused' | 'silent';

/** Members by their pods and node ids, as steps name them. */
const servers = listOf(
  strictObject({ pod: objectName, node: nodeId }, { object: 'an object', field: 'a field of such a server' }),
);

/** What a step names that waits for the servers of a password, and how it stands in a file. */
export const waitingFields = { ...secretFields, servers };
export const waitingExample = {
  ...secretExample,
  servers: [{ pod: 'shop-0', node: '0000000000000000000000000000000000000000' }],
};

interface Servers {
  readonly workload: string;
  readonly servers: readonly { readonly pod: string; readonly node: string }[];
}

const between = 1_000;
/** Kubelets refresh mounts within some 90 seconds; agents need a few seconds more. */
const patience = 300_000;

/** The pods whose servers do not answer so to a password. */
export async function podsWithout(
  wanted: Answer,
  password: string,
  step: Servers,
  ports: StepPorts,
): Promise<readonly string[]> {
  const { namespace } = kubernetesOf(ports);
  const { tried } = passwordsOf(ports);
  const pods = await podsOf(step, ports);
  const answers = await Promise.all(
    step.servers.map(async ({ pod, node }) => {
      const port = pods.find(({ name }) => name === pod)?.port;
      return port === undefined ? 'silent' : await tried({ namespace, pod, port, node }, password);
    }),
  );
  return step.servers.flatMap(({ pod }, index) => (answers[index] === wanted ? [] : [pod]));
}

/**
 * Waits until all servers answer so; one that restarts meanwhile is asked again. Rejects with an AbortError where it is
 * stopped before, and with a UserError that names those that take too long.
 */
export async function untilAll(
  wanted: Answer,
  password: string,
  step: Servers,
  ports: StepPorts,
): Promise<void> {
  const { now, delay, signal, report } = ports;
  const what = wanted === 'accepted' ? 'accept the new password' : 'refuse the old password';
  const begun = now();
  await refreshMounts(step, ports);
  for (;;) {
    const late = await podsWithout(wanted, password, step, ports);
    const total = step.servers.length;
    report({ text: what, done: total - late.length, total, unit: 'servers' });
    if (late.length === 0) return;
    signal.throwIfAborted();
    if (now() - begun > patience) {
      throw new UserError(
        'failed',
        `After ${patience / 1000} s not all servers ${what}: ${late.join(', ')}. Look at the logs of their agents.`,
      );
    }
    await delay(between, signal);
  }
}

/** A changed annotation makes a kubelet look at its pod at once, mounted Secrets included, instead of within 90 seconds. */
async function refreshMounts(step: Servers, ports: StepPorts): Promise<void> {
  const { access, namespace } = kubernetesOf(ports);
  if (!(await access.may('patch', 'pods', '', namespace))) return;
  const annotations = { 'kubernetes-redis-cluster/password': new Date().toISOString() };
  const pods = await podsOf(step, ports);
  await Promise.allSettled(
    pods.map(({ name, uid }) =>
      access.patch('v1', 'Pod', namespace, name, { metadata: { uid, annotations } }),
    ),
  );
}

async function podsOf({ workload }: Servers, ports: StepPorts): Promise<readonly PodFacts[]> {
  const { access, namespace } = kubernetesOf(ports);
  const found = await access.discover(namespace);
  return found.find((one) => one.workload.name === workload)?.pods ?? [];
}
