import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check } from '../../../src/checks/check.ts';
import { candidates } from '../../../src/kubernetes/discover.ts';
import type { ClusterSnapshot, PodFacts } from '../../../src/model/snapshot.ts';
import { planReplacePods } from '../../../src/operations/replacePods.ts';
import { refuseRunning } from '../../../src/operations/refusals/refuseRunning.ts';
import { replacePod } from '../../../src/operations/steps/replacePod.ts';
import type { StepPorts } from '../../../src/operations/steps/ports.ts';
import { ids, pod, silent, snapshotOf, source } from '../sample.ts';

const ended: Partial<PodFacts> = { phase: 'Failed', ready: false, ended: true, reason: 'Terminated' };

/** The replica r0 in pod cart-3, whose pod is as given. */
function withPod(changes: Partial<PodFacts>): ClusterSnapshot {
  return snapshotOf(
    ids.map((id) => {
      if (id !== 'r0') return source(id);
      const { pod: facts, ...rest } = silent(id);
      return { ...rest, pod: { ...(facts ?? pod('cart-3', '')), ...changes } };
    }),
  );
}

describe('pods that have ended and are not replaced', () => {
  test('are found where an owner wants them, and only there', () => {
    const object = (owner: string | undefined, status: object) => ({
      metadata: {
        name: 'rc-1',
        namespace: 'shop',
        uid: 'u1',
        ...(owner === undefined ? {} : { ownerReferences: [{ kind: owner, name: 'rc', controller: true }] }),
      },
      spec: { containers: [{ name: 'redis', image: 'redis:7', ports: [{ containerPort: 6379 }] }] },
      status,
    });
    const pods = (owner: string | undefined, status: object) =>
      candidates([object(owner, status)], [])[0]?.pods;
    const terminated = {
      state: { terminated: { exitCode: 0, reason: 'Completed' } },
      name: 'redis',
      restartCount: 0,
    };
    const over = { phase: 'Succeeded', containerStatuses: [terminated] };
    const [found] = pods('StatefulSet', over) ?? [];
    assert.deepEqual([found?.phase, found?.ended, found?.reason], ['Succeeded', true, 'Ended']);
    assert.equal(pods('Job', over), undefined);
    assert.equal(pods(undefined, over), undefined);
    const shutdown = { phase: 'Failed', reason: 'NodeShutdown', message: 'Pod was terminated.' };
    assert.deepEqual(pods('StatefulSet', shutdown)?.[0]?.reason, 'NodeShutdown');
  });

  test('the plan names pod, uid and volume; the finding names the command', () => {
    const snapshot = withPod(ended);
    const plan = planReplacePods(snapshot, {});
    const [step] = plan.steps;
    assert.ok(step?.kind === 'replacePod');
    assert.deepEqual([step.pod, step.uid, step.node, step.isRecreated], ['cart-3', 'uid-cart-3', 'r0', true]);
    assert.match(
      step.text,
      /Delete the terminated pod cart-3 \(uid uid-cart-3\) and wait for the new one \(Failed, Terminated; StatefulSet cart creates it again with its volume\)/,
    );
    assert.deepEqual(plan.warnings, []);
    const remedies = check(snapshot).map(({ remedy }) => remedy ?? '');
    assert.ok(remedies.some((one) => one.includes('“Replace Terminated Pods…” deletes pod cart-3')));
    const unreported = planReplacePods(withPod({ phase: 'Failed', ready: false }), { pod: 'cart-3' });
    assert.match(
      unreported.warnings.join(' '),
      /does not report that the container of cart-3 has terminated/,
    );
  });

  test('what runs, what nobody owns and what is not there are refused', () => {
    assert.throws(() => planReplacePods(withPod({}), {}), /No pod of cart .* has terminated/);
    assert.throws(
      () => planReplacePods(withPod(ended), { pod: 'cart-0' }),
      /cart-0 has not terminated \(phase Running\)/,
    );
    assert.throws(() => planReplacePods(withPod(ended), { pod: 'cart-9' }), /has no pod cart-9/);
    const alone = { ...withPod(ended), workloads: [] };
    assert.throws(() => planReplacePods(alone, {}), /Pod cart-3 has no owner/);
    assert.throws(
      () => planReplacePods({ ...withPod(ended), ref: { addresses: ['a:1'] } }, {}),
      /is not in Kubernetes/,
    );
    assert.throws(() => {
      refuseRunning('cart-3', { status: { phase: 'Running' } });
    }, /has not terminated.*Nothing was changed/);
  });

  test('it is done when another pod of that name is ready and its node is a member', async () => {
    const [step] = planReplacePods(withPod(ended), {}).steps;
    assert.ok(step?.kind === 'replacePod');
    const isDone = async (snapshot: ClusterSnapshot): Promise<boolean> =>
      replacePod.isDone(step, snapshot, {} as StepPorts);
    assert.equal(await isDone(withPod(ended)), false, 'the old one is there');
    assert.equal(await isDone(withPod({ uid: 'new', ready: false })), false, 'not ready');
    assert.equal(await isDone(withPod({ uid: 'new', ready: true })), false, 'its server does not answer');
    const back = snapshotOf(
      ids.map((id) => {
        const own = source(id);
        return id === 'r0' && own.pod !== undefined ? { ...own, pod: { ...own.pod, uid: 'new' } } : own;
      }),
    );
    assert.equal(await isDone(back), true);
  });
});
