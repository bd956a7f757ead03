import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import type { Step } from '../../../src/operations/steps/index.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import {
  canSave,
  planFromFile,
  readPlanFile,
  writePlanFile,
} from '../../../src/operations/plans/planFile.ts';
import { redisCliCommands } from '../../../src/operations/plans/redisCli.ts';
import { planReshard } from '../../../src/operations/reshard.ts';
import { sketchOf, type Sketch } from './sketch.ts';

const [a, b, c, r] = ['a', 'b', 'c', 'f'].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
const three: Readonly<Record<string, Sketch>> = {
  [a]: { slots: [[0, 5460]] },
  [b]: { slots: [[5461, 10_922]] },
  [c]: { slots: [[10_923, 16_383]] },
  [r]: { masterId: a },
};
const snapshotOf = (changes: Readonly<Record<string, Sketch>> = {}): ClusterSnapshot =>
  sketchOf(changes, three);

function saved(plan: Plan = planReshard(snapshotOf(), { from: [a], to: b, slots: 100 })): string {
  return writePlanFile(plan, snapshotOf(), new Date(0));
}

/** The saved plan with something else in it. */
function changed(change: (file: Record<string, unknown>, step: Record<string, unknown>) => void): string {
  const file = JSON.parse(saved()) as Record<string, unknown> & { steps: [Record<string, unknown>] };
  change(file, file.steps[0]);
  return JSON.stringify(file);
}

test('a plan that is saved and read again is the same, for the cluster as it was', () => {
  const snapshot = snapshotOf();
  const plan = planReshard(snapshot, { from: 'all', to: b, slots: 300 });
  assert.ok(canSave(plan));
  const text = saved(plan);
  assert.match(text, /"slots": "0-149"/);
  const read = planFromFile(readPlanFile(text), snapshot);
  assert.deepEqual(read.steps, plan.steps);
  assert.deepEqual([read.operation, read.request, read.ref], ['reshard', plan.request, plan.ref]);
});

test('limits of a move stand in the file, and are said of the steps that have them', () => {
  const limits = { latencyMs: 20, lagBytes: 1_000_000, memoryPercent: 80, until: '2030-01-31T06:00:00Z' };
  const plan = planReshard(snapshotOf(), { from: 'all', to: b, slots: 300, pace: 'fast', limits });
  const said =
    /^Slots move fast, .* Pauses while clients wait more than 20 ms, or while a replica of the target is more than 977 KiB behind, or while the target uses more than 80% of its maxmemory\. Stops on \w+, Jan 3\d, \d\d:\d\d .* with no slot open\.$/;
  assert.equal(plan.warnings.length, 1);
  assert.match(plan.warnings[0] ?? '', said);
  const text = saved(plan);
  const read = planFromFile(readPlanFile(text), snapshotOf());
  assert.deepEqual([read.steps, read.warnings, read.request], [plan.steps, plan.warnings, plan.request]);
  assert.match(redisCliCommands(read, snapshotOf()), /^set -e\n# Not done by redis-cli, .*: Slots move fast/);
  const uneven = JSON.parse(text) as { steps: [{ limits?: object }, object] };
  uneven.steps[0].limits = { latencyMs: 5 };
  assert.deepEqual(
    planFromFile(readPlanFile(JSON.stringify(uneven)), snapshotOf()).warnings.map((warning) =>
      warning.replace(/ms.*/, 'ms'),
    ),
    ['5', '20'].map(
      (ms, index) =>
        `Step ${index + 1}: Slots move fast, without regard to client latency. Pauses while clients wait more than ${ms} ms`,
    ),
  );
});

test('a plan is refused when the cluster has moved on, with what has changed', () => {
  const cases: readonly [Readonly<Record<string, Sketch>>, RegExp][] = [
    [
      {
        [a]: { slots: [[1, 5460]] },
        [b]: {
          slots: [
            [0, 0],
            [5461, 10_922],
          ],
        },
      },
      /6097 now owns slots 1-5460, not 0-5460/,
    ],
    [{ [a]: { masterId: r }, [r]: { slots: [[0, 5460]] } }, /6097 is now a replica; .*6102 is now a master/],
    [{ [r]: { masterId: b } }, /6102 now replicates 127\.0\.0\.1:6098/],
    [{ ['d'.repeat(40)]: {} }, /6100 has joined/],
  ];
  for (const [changes, message] of cases) {
    assert.throws(
      () => planFromFile(readPlanFile(saved()), snapshotOf(changes)),
      (error) => error instanceof UserError && error.reason === 'unsafe' && message.test(error.message),
      String(message),
    );
  }
  const later = snapshotOf();
  const failedOver = { ...later, nodes: later.nodes.map((node) => ({ ...node, configEpoch: 9 })) };
  assert.throws(() => planFromFile(readPlanFile(saved()), failedOver), /now has config epoch 9, not 1/);
});

test('what a file says of its steps is not what is asked: texts and losses are made of the steps', () => {
  const text = changed((file, step) => {
    Object.keys(step).forEach((key) => Reflect.deleteProperty(step, key));
    Object.assign(step, { kind: 'flush', nodes: [a], text: 'Look at the cluster' });
    file['losses'] = [];
    file['title'] = 'Nothing dangerous';
  });
  const plan = planFromFile(readPlanFile(text), snapshotOf());
  assert.deepEqual(plan.losses, ['All keys on 127.0.0.1:6097 are permanently deleted.']);
  assert.equal(plan.steps[0]?.text, 'Delete all keys on 127.0.0.1:6097');
  assert.equal(plan.title, 'Run a saved plan (reshard) on sketch');
});

test('what is not a plan is refused with what is wrong where', () => {
  const cases: readonly [string, RegExp][] = [
    ['not JSON', /is not JSON/],
    ['[]', /the file is not an object/],
    ['{}', /redisplan is not 1/],
    [changed((file) => (file['extra'] = 1)), /extra is not a field of a plan/],
    [changed((file) => (file['title'] = 'two\nlines')), /title is not a line of text/],
    [changed((file) => (file['cluster'] = 'x')), /cluster is not \{context, namespace, name\} or/],
    [changed((file) => (file['operation'] = 'a b')), /operation is not the name/],
    [changed((file) => (file['steps'] = [])), /steps is not a list of 1 to/],
    [changed((file) => (file['madeOf'] = [{ id: a, role: 'king', slots: '' }])), /madeOf\[0\]\.role is not/],
    [changed((_, step) => (step['kind'] = 'applyManifests')), /steps\[0\]\.kind is not one of moveSlots/],
    [changed((_, step) => (step['kind'] = 'constructor')), /steps\[0\]\.kind is not one of/],
    [changed((_, step) => (step['from'] = '../etc')), /steps\[0\]\.from is not a node id/],
    [changed((_, step) => (step['slots'] = '0-20000')), /out of range/],
    [changed((_, step) => (step['slots'] = [[0, 1]])), /steps\[0\]\.slots is not slots/],
    [changed((_, step) => (step['command'] = 'FLUSHALL')), /steps\[0\]\.command is not a field of such/],
    [
      changed((_, step) => Object.assign(step, { pace: 'furious' })),
      /steps\[0\]\.pace is not "gentle" or "fast"/,
    ],
    [changed((_, step) => (step['limits'] = 20)), /steps\[0\]\.limits is not an object of latencyMs, /],
    [
      changed((_, step) => (step['limits'] = { latencyMs: -1 })),
      /steps\[0\]\.limits\.latencyMs is not a number of milliseconds above 0/,
    ],
    [
      changed((_, step) => (step['limits'] = { until: '06:00' })),
      /steps\[0\]\.limits\.until is not a time with its zone/,
    ],
    [
      changed((_, step) => (step['limits'] = { speed: 1 })),
      /limits\.speed is not one of these limits: latencyMs/,
    ],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => readPlanFile(text),
      (error) =>
        error instanceof UserError && error.reason === 'invalid-input' && message.test(error.message),
      String(message),
    );
  }
});

test('the schema that editors check by has an example of every kind of step, and each of them can be read', () => {
  const file = join(import.meta.dirname, '..', '..', '..', 'resources', 'redisplan.schema.json');
  const schema = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly properties: { readonly steps: { readonly items: { readonly oneOf: readonly Variant[] } } };
  };
  interface Variant {
    readonly title: string;
    readonly properties: Readonly<Record<string, unknown>>;
    readonly required: readonly string[];
    readonly examples: readonly Readonly<Record<string, unknown>>[];
  }
  const variants = schema.properties.steps.items.oneOf;
  const known = /one of (.*)\.$/.exec(
    String(thrownBy(() => readPlanFile(changed((_, step) => (step['kind'] = 'x'))))),
  );
  assert.deepEqual(
    variants.map(({ title }) => title),
    known?.[1]?.split(', '),
  );
  for (const { properties, required, examples } of variants) {
    const [example = {}] = examples;
    const read = (step: object): readonly Step[] =>
      readPlanFile(changed((given) => (given['steps'] = [step]))).steps;
    assert.equal(read(example)[0]?.kind, example['kind']);
    for (const name of Object.keys(example))
      assert.ok(name in properties, `${String(example['kind'])}.${name}`);
    for (const name of required.filter((one) => one !== 'kind')) {
      const without = Object.fromEntries(Object.entries(example).filter(([one]) => one !== name));
      assert.throws(() => read(without), UserError, `${String(example['kind'])} without ${name}`);
    }
  }
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

test('settings that hold secrets stand in no plan', () => {
  const step = { kind: 'setConfig', nodes: [a], name: 'requirepass', value: 'x', before: '' };
  assert.throws(
    () => readPlanFile(changed((file) => (file['steps'] = [step]))),
    /name is not a setting that a plan may/,
  );
});

test('the commands for a shell name nodes by address or pod, and quote what comes from the plan', () => {
  const plan = planReshard(snapshotOf(), { from: [a], to: b, slots: 100 });
  const commands = redisCliCommands(plan, snapshotOf());
  assert.match(commands, /^set -e\n# Move 100 slots \(0-99\) from/);
  assert.match(
    commands,
    /redis-cli -h 127\.0\.0\.1 -p 6097 --cluster reshard 127\.0\.0\.1:6097 --cluster-from a{40} --cluster-to b{40} --cluster-slots 100 --cluster-yes/,
  );
  const chosen = planReshard(snapshotOf(), { from: [a], to: b, slots: [[50, 59]] });
  assert.match(
    redisCliCommands(chosen, snapshotOf()),
    /\n# redis-cli would move the lowest slots .*\n# redis-cli -h/,
  );
  const steps: readonly Step[] = [
    { kind: 'setConfig', nodes: [a], name: 'save', value: "60 1'; rm -rf /", before: '', text: 'Set\nit' },
  ];
  assert.match(
    redisCliCommands({ ...plan, steps }, snapshotOf()),
    /# Set it\nredis-cli -h 127\.0\.0\.1 -p 6097 CONFIG SET save '60 1'\\''; rm -rf \/'\n/,
  );
});
