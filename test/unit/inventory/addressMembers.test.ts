import assert from 'node:assert/strict';
import { test } from 'node:test';
import { membersAt, type AddressedSource } from '../../../src/inventory/addressMembers.ts';
import type { KnownNode, NodeView } from '../../../src/model/nodeView.ts';
import { line, view } from '../sample.ts';

/** A node of a cluster whose nodes announce the given addresses; `real` is where it answers. */
function answering(
  real: number,
  id: string,
  others: readonly KnownNode[],
  changes: Partial<NodeView> = {},
): AddressedSource {
  const self = line('m0', { id, host: '127.0.0.1', port: real });
  return {
    address: `127.0.0.1:${real}`,
    isNamed: true,
    reading: { tried: true, lastId: id, view: view('m0', { self, others, ...changes }) },
  };
}

const listed = (source: AddressedSource): AddressedSource => ({ ...source, isNamed: false });
const at = (id: string, port: number, hostname?: string): KnownNode =>
  line('m1', { id, host: '127.0.0.1', port, ...(hostname === undefined ? {} : { hostname }) });

const ids = (sources: ReturnType<typeof membersAt>['sources']): readonly (string | undefined)[] =>
  sources.map(({ reading }) => reading.view?.self.id);

test('another cluster that answers at a listed address is no member', () => {
  const own = answering(7401, 'a1', [at('a2', 7502), at('a3', 7503)]);
  const foreign = [7502, 7503].map((port) =>
    listed(answering(port, `b${port - 7500}`, [at('b1', 7501), at('b2', 7502), at('b3', 7503)])),
  );
  const { sources, impostors, apart } = membersAt([own, ...foreign], new Set());
  assert.deepEqual(impostors, [
    { address: '127.0.0.1:7502', listedId: 'a2', answeringId: 'b2' },
    { address: '127.0.0.1:7503', listedId: 'a3', answeringId: 'b3' },
  ]);
  assert.deepEqual(ids(sources), ['a1', undefined, undefined]);
  assert.deepEqual(
    sources.map(({ reading }) => reading.failure?.message),
    [
      undefined,
      'Node b2 answers at 127.0.0.1:7502 instead of a2.',
      'Node b3 answers at 127.0.0.1:7503 instead of a3.',
    ],
  );
  assert.deepEqual(apart, []);
});

test('a member is found at its name where its address leads elsewhere', () => {
  const own = answering(7401, 'a1', [at('a2', 7502, 'two.example')]);
  const foreign = listed(answering(7502, 'b2', []));
  const named = { ...listed(answering(7502, 'a2', [at('a1', 7501)])), address: 'two.example:7502' };
  const { sources, impostors } = membersAt([own, foreign, named], new Set());
  assert.deepEqual(ids(sources), ['a1', 'a2']);
  assert.deepEqual(impostors, [{ address: '127.0.0.1:7502', listedId: 'a2', answeringId: 'b2' }]);
});

test('the first named address defines the cluster, and what the user names beside it is not merged in', () => {
  const first = answering(7401, 'a1', [at('a2', 7402)]);
  const other = answering(7501, 'b1', [at('b2', 7502)]);
  const { sources, apart } = membersAt([first, other], new Set());
  assert.deepEqual([ids(sources), ids(apart)], [['a1'], ['b1']]);
  assert.deepEqual(ids(membersAt([other, first], new Set()).sources), ['b1']);
  assert.deepEqual(
    ids(membersAt([other, first], new Set(['a1'])).sources),
    ['a1'],
    'it was the cluster before',
  );
});

test('a server that has lost the others defines no cluster, though it is named first', () => {
  const alone = answering(7401, 'x1', [], { slotsAssigned: 194 });
  const first = answering(7402, 'a2', [at('a3', 7403)]);
  const { sources, apart } = membersAt([alone, first], new Set());
  assert.deepEqual([ids(sources), ids(apart)], [['a2'], ['x1']]);
  const whole = answering(7401, 'x1', []);
  assert.deepEqual(ids(membersAt([whole, first], new Set()).sources), ['x1'], 'one server can be a cluster');
});

test('a named server that lists a member is one, and one that was reached twice counts once', () => {
  const first = answering(7401, 'a1', []);
  const lists = answering(7402, 'a2', [at('a1', 7401)]);
  const twin = { ...listed(lists), address: 'localhost:7402' };
  const { sources, apart } = membersAt(
    [
      { ...first, reading: { ...first.reading, view: view('m0', { self: at('a1', 7401), others: [] }) } },
      lists,
      twin,
    ],
    new Set(),
  );
  assert.deepEqual([ids(sources), apart], [['a1', 'a2'], []]);
});

test('a server that stands alone in the place of a member may be that member under another id', () => {
  const first = answering(7401, 'a1', [at('a2', 7402)]);
  const alone = listed(answering(7402, 'x2', []));
  const { sources, apart, impostors } = membersAt([first, alone], new Set());
  assert.deepEqual([ids(sources), ids(apart), impostors.length], [['a1', undefined], ['x2'], 1]);
});

test('servers that are no cluster yet are those that the user names', () => {
  const blank = [7401, 7402].map((port) =>
    answering(port, `n${port}`, [], { self: line('m0', { id: `n${port}`, slots: [] }), keys: 0 }),
  );
  assert.deepEqual(ids(membersAt(blank, new Set()).sources), ['n7401', 'n7402']);
});

test('an announced address that cannot be reached is not missed while its node answers elsewhere', () => {
  const first = answering(7401, 'a1', [at('a2', 7502), at('a3', 7503)]);
  const second = answering(7402, 'a2', [at('a1', 7501), at('a3', 7503)]);
  const silent = [7501, 7502, 7503].map((port) => ({
    address: `127.0.0.1:${port}`,
    isNamed: false,
    reading: { tried: true, failure: { reason: 'timeout' as const, message: 'late' } },
  }));
  const { sources } = membersAt([first, second, ...silent], new Set());
  assert.deepEqual(
    sources.map(({ address }) => address),
    ['127.0.0.1:7401', '127.0.0.1:7402', '127.0.0.1:7503'],
  );
});
