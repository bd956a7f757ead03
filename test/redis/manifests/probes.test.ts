import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { simulatePods } from './simulatedPods.ts';

interface Probe {
  readonly timeoutSeconds: number;
  readonly exec: { readonly command: readonly [string, string] };
}

interface StatefulSet {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly Record<string, Probe>[] } };
  };
}

const file = new URL('../../../manifests/base/statefulset.yaml', import.meta.url);
const [server = {}] = (parse(readFileSync(file, 'utf8')) as StatefulSet).spec.template.spec.containers;

test('no probe of a server that hangs has to be killed: redis-server would not reap what that leaves', async (t) => {
  const pods = await simulatePods();
  t.after(() => pods.dispose());
  for (const ordinal of [0, 1, 2, 3, 4, 5]) await pods.start(ordinal);
  await pods.allReady(60);
  const [, pid] = /process_id:(\d+)/.exec(await pods.ask(0, ['INFO', 'server'])) ?? [];
  process.kill(Number(pid), 'SIGSTOP');
  for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    const { timeoutSeconds, exec } = server[kind] ?? assert.fail(kind);
    const begun = performance.now();
    assert.equal(await pods.probe(0, exec.command[1].split('/').at(-1) ?? ''), false, kind);
    const seconds = (performance.now() - begun) / 1000;
    t.diagnostic(`${kind} ${seconds.toFixed(1)} s of ${String(timeoutSeconds)} s`);
    assert.ok(seconds < timeoutSeconds - 1, `${kind} took ${seconds.toFixed(1)} s`);
  }
  process.kill(Number(pid), 'SIGCONT');
});
