import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ClusterRef } from '../../../src/model/clusterRef.ts';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import type { CommandRuns } from '../../../src/ui/run/commandRuns.ts';
import { changing, elsewhere, unplanned, withoutPods, type Changing } from './changing.ts';
import './editor/register.ts';
import { partsFor, type Begun } from './editor/parts.ts';
import { setPerson, shown } from './editor/vscode.ts';

const { commandRuns } = await import('../../../src/ui/run/commandRuns.ts');

const code = await import('../../../src/ui/allCommands.ts');

const root = join(import.meta.dirname, '..', '..', '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
};

const kubernetes: ClusterRef = { context: 'test', namespace: 'shop', name: 'cart' };
const addresses: ClusterRef = { addresses: ['10.0.0.0:6379'] };

test('every contributed command is in this test, and only those that plan reach a plan', () => {
  const known = [...unplanned, ...elsewhere, ...Object.keys(changing)].sort();
  const contributed = manifest.contributes.commands.map(({ command }) =>
    command.replace('redisCluster.', ''),
  );
  assert.deepEqual(known, contributed.sort());
  for (const name of unplanned) {
    const text = readFileSync(join(root, 'src', 'ui', 'commands', `${name}.ts`), 'utf8');
    assert.doesNotMatch(text, /\b(runPlanned|runOperation)\(/, name);
  }
  const saved = readFileSync(join(root, 'src', 'ui', 'commands', 'runPlan.ts'), 'utf8');
  assert.match(saved, /new Asking\(parts, argument\)\.always\(\)/);
});

for (const [name, ways] of Object.entries(changing)) {
  for (const way of ways) {
    for (const ref of [kubernetes, addresses]) {
      if (way.only !== undefined && (way.only === 'kubernetes') !== 'context' in ref) continue;
      const state = (): ClusterSnapshot => ('context' in ref ? way.state() : withoutPods(way.state()));
      describe(`${name} ${JSON.stringify({ ...ref, ...way.answers })}`, () => {
        walk(name, way, ref, state);
      });
    }
  }
}

function walk(name: string, way: Changing, ref: ClusterRef, state: () => ClusterSnapshot): void {
  const counted: Begun = { count: 0 };
  const types = (prompt: string): string | undefined => {
    return prompt.includes('cannot be undone') ? undefined : way.types;
  };
  const ran = (
    argument: unknown,
    person: Parameters<typeof setPerson>[0],
  ): ReturnType<CommandRuns['run']> => {
    setPerson(person);
    counted.count = 0;
    return commandRuns(partsFor(state, ref, counted), () => Promise.resolve(code)).run(
      name,
      argument,
      undefined,
    );
  };
  const call = async (argument: unknown, agrees = false, word?: string): Promise<string> => {
    const { outcome, message } = await ran(argument, { agrees, types: (prompt) => types(prompt) ?? word });
    assert.equal(outcome, 'cancelled', message);
    return message;
  };
  const dialogs = (): number => shown.filter(({ kind }) => kind === 'dialog').length;
  // These fields name a cluster as well, and cannot stand beside a flat one.
  const isFlatAmbiguous = ['addresses', 'name'].some((field) => field in (way.answers ?? {}));
  const answered: readonly object[] = [
    { cluster: ref, ...way.answers },
    ...(isFlatAmbiguous ? [] : [{ ...ref, ...way.answers }]),
    ...(isFlatAmbiguous ? [] : [{ ...ref, cluster: ref, ...way.answers }]),
  ];

  for (const argument of answered) {
    const form = 'cluster' in argument ? 'cluster in the argument' : 'a flat argument';
    test(`${form}: ${way.asks === 'person' ? 'runs' : 'is asked, and dismissed nothing is changed'}`, async () => {
      await call(argument);
      assert.equal(dialogs(), way.asks === 'person' ? 0 : 1);
      assert.equal(counted.count, way.asks === 'person' ? 1 : 0);
    });
    test(`${form}: "confirmed": true is not asked, anything else there is`, async () => {
      await call({ ...argument, confirmed: true });
      assert.deepEqual([shown, counted.count], [[], 1]);
      await call({ ...argument, confirmed: 'true' });
      assert.equal(dialogs(), way.asks === 'person' ? 0 : 1);
    });
  }

  test('a person who starts it, or is asked anything, sees the plan', async () => {
    const row = { id: way.row === undefined ? 'cluster' : `node/${way.row}` };
    const isWhole = way.answers === undefined || way.types !== undefined || way.row !== undefined;
    const from = isWhole && !('volumes' in (way.answers ?? {})) ? [row, undefined] : [];
    for (const argument of [...from, { ...way.answers }]) {
      if (argument === undefined && way.row !== undefined) continue;
      if (isFlatAmbiguous && argument !== undefined && !('id' in argument)) continue;
      await call(argument);
      assert.equal(counted.count, 0);
      assert.ok(dialogs() === 1, `${JSON.stringify(argument)}: ${JSON.stringify(shown)}`);
    }
  });

  test('where the settings say read-only it is refused, whatever is confirmed', async () => {
    const settings = { readOnlyContexts: ['te*', '10.0.0.0:*'], protectedContexts: ['*'] };
    for (const confirmed of [{}, { confirmed: true }]) {
      const person = { agrees: true, types: () => 'cart', settings };
      const { outcome, message } = await ran({ ...answered[0], ...confirmed }, person);
      assert.deepEqual([outcome, counted.count, shown], ['refused', 0, []], message);
      assert.match(
        message,
        /is read-only in this editor \(setting redisCluster\.readOnlyContexts\).*Nothing was changed/,
      );
    }
    // Who starts it from a row is not asked what would be for nothing.
    const { outcome } = await ran({ id: 'cluster' }, { agrees: true, types: () => 'cart', settings });
    assert.deepEqual([outcome, shown], ['refused', []]);
  });

  test('where it is protected the name is asked for, whatever is confirmed', async () => {
    const protectedName = 'context' in ref ? 'test' : '10.0.0.0:6379';
    const settings = { protectedContexts: [protectedName] };
    const answering = (word: string) => (prompt: string) => (prompt.includes('is protected') ? word : 'cart');
    await ran({ ...answered[0], confirmed: true }, { agrees: true, types: answering('another'), settings });
    assert.equal(counted.count, 0);
    await ran(
      { ...answered[0], confirmed: true },
      { agrees: false, types: answering(protectedName), settings },
    );
    assert.equal(counted.count, 0);
    await ran({ ...answered[0] }, { agrees: true, types: answering(protectedName), settings });
    assert.equal(counted.count, 1);
  });

  if (way.asks !== 'word') return;
  test('the button is not enough: the name of the cluster has to be typed', async () => {
    const [argument] = answered;
    await call(argument, true);
    assert.equal(counted.count, 0);
    await call(argument, true, 'another');
    assert.equal(counted.count, 0);
    await call(argument, true, 'cart');
    assert.equal(counted.count, 1);
  });
}
