import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/model/errors.ts';
import { planFromFile, readPlanFile, writePlanFile } from '../../../src/operations/plans/planFile.ts';
import { redisCliCommands } from '../../../src/operations/plans/redisCli.ts';
import { stepKinds } from '../../../src/operations/steps/index.ts';
import { ids, snapshotOf, source } from '../sample.ts';

const id = (digit: string): string => digit.repeat(40);
const idOf = (node: string): string => id(String(ids.indexOf(node) + 2));
const whole = snapshotOf(ids.map((one) => source(one)));
/** The cluster of the examples: their nodes are not in it, as after they were replaced. */
const snapshot = {
  ...whole,
  nodes: whole.nodes.map((node) => ({
    ...node,
    id: idOf(node.id),
    ...(node.masterId === undefined ? {} : { masterId: idOf(node.masterId) }),
  })),
};

function filed(step: object): string {
  const plan = { title: 'Plan', ref: whole.ref, operation: 'heal', request: {}, warnings: [], losses: [] };
  const text = writePlanFile({ ...plan, steps: [] }, snapshot, new Date(0));
  return JSON.stringify({ ...(JSON.parse(text) as object), steps: [step] });
}

test('every kind that may stand in a file says in a line what it does, and what does the same in a shell', () => {
  const saved = Object.values(stepKinds).filter(({ isSaved }) => isSaved);
  assert.equal(
    Object.keys(stepKinds).length - saved.length,
    4,
    'those that take a password, or the objects of a new cluster',
  );
  const texts = new Set<string>();
  for (const { kind, example } of saved) {
    const plan = planFromFile(readPlanFile(filed({ kind, ...example })), snapshot);
    const [step] = plan.steps;
    assert.equal(step?.kind, kind);
    assert.match(step.text, /^[A-Z0-9][^\n]{10,}$/, kind);
    texts.add(step.text);
    const [, , ...commands] = redisCliCommands(plan, snapshot).trim().split('\n');
    assert.ok(commands.length > 0 && commands.every((line) => line.length > 10), kind);
  }
  assert.equal(texts.size, saved.length);
});

test('whatever one field of a step is instead, it is refused by its name', () => {
  const others = [null, 7.5, '', ' ', 'a\nb', [], [[]], {}, { __proto__: null }, 'x'.repeat(2_000), -1, 1e21];
  let refused = 0;
  for (const { kind, fields, example, isSaved } of Object.values(stepKinds)) {
    if (!isSaved) continue;
    for (const field of Object.keys(fields)) {
      for (const other of others) {
        try {
          readPlanFile(filed({ kind, ...example, [field]: other }));
        } catch (error) {
          assert.ok(error instanceof UserError, `${kind}.${field}: ${String(error)}`);
          assert.match(error.message, new RegExp(`: steps\\[0\\]\\.${field}.* is not [^.]{4,}`));
          refused++;
        }
      }
    }
  }
  assert.ok(refused > 400, String(refused));
});

test('a field that every object has is no field of a step', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const text = filed({ kind: 'forget', node: id('0'), extra: 1 }).replace('"extra"', `"${name}"`);
    assert.throws(
      () => readPlanFile(text),
      new RegExp(`steps\\[0\\]\\.${name} is not a field of such a step`),
    );
  }
});
