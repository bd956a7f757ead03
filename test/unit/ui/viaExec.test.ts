import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import type { Parts } from '../../../src/ui/parts.ts';
import { ids, snapshotOf, source } from '../sample.ts';
import './editor/register.ts';

const { withExecNote } = await import('../../../src/ui/run/oneAtATime.ts');

test('a plan says where it works through exec, and nothing where it does not', () => {
  const read = snapshotOf(ids.map((id) => source(id)));
  const plan: Plan = {
    ...{ title: 'Reshard', ref: read.ref, operation: 'reshard', request: {}, steps: [], losses: [] },
    warnings: ['First.'],
  };
  const warnings = (viaExec: boolean): readonly string[] => {
    const snapshot = { ...read, nodes: read.nodes.map((node) => ({ ...node, viaExec })) };
    const parts = { inventory: { snapshot: () => snapshot } } as unknown as Parts;
    return withExecNote(parts, plan).warnings;
  };
  assert.deepEqual(warnings(false), ['First.']);
  assert.match(warnings(true).join('\n'), /^First\.\n.*exec.*pods\/portforward are missing\.$/);
});
