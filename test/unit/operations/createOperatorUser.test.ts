import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planCreateOperatorUser } from '../../../src/operations/createOperatorUser.ts';
import { withUserLine } from '../../../src/operations/users/kept.ts';
import { grantsNoMore, hashOf, isUser } from '../../../src/operations/users/onServer.ts';
import { ids, silent, snapshotOf, source } from '../sample.ts';

const whole = snapshotOf(ids.map((id) => source(id)));
const none = { existing: [], foreign: [], withoutPassword: [] };
const user = 'ops';

test('one step for all servers and one for pods to come, and what changes for whoever uses the extension', () => {
  const plan = planCreateOperatorUser(whole, { user }, { ...none, kept: 'cart-auth' });
  assert.deepEqual(
    plan.steps.map(({ kind, text }) => [kind, text]),
    [
      ['createUser', 'Create user ops on 6 servers with only the commands that this extension uses'],
      [
        'keepUser',
        'Save the rules of user ops and the hash of its password in Secret cart-auth, for pods that start later',
      ],
    ],
  );
  assert.equal(plan.warnings.length, 1);
  assert.match(plan.warnings[0] ?? '', /signs in to cart as ops; “Sign Out” ends that\.$/);
});

test('what is missing is said: a server that restarts, a password that is replaced, an open default user', () => {
  const [first = ''] = ids;
  const facts = { existing: [first], foreign: [], withoutPassword: ids, notKept: 'It has no aclfile.' };
  const { warnings, steps } = planCreateOperatorUser(whole, { user }, facts);
  assert.equal(steps.length, 1);
  assert.deepEqual(warnings.slice(1), [
    'ops exists on 1 server. Its password is replaced.',
    'It has no aclfile.',
    '6 servers still accept the default user without a password.',
  ]);
});

test('a user with other rights, a silent server and names that mean something else are refused', () => {
  assert.throws(
    () => planCreateOperatorUser(whole, { user }, { ...none, foreign: ids }),
    /has rights that this extension does not need.*Choose another name\. Nothing was changed\./,
  );
  const [lost = '', ...rest] = ids;
  const partly = snapshotOf([silent(lost), ...rest.map((id) => source(id))]);
  assert.throws(
    () => planCreateOperatorUser(partly, { user }, none),
    /does not answer, and every server must get/,
  );
  for (const name of ['default', 'rck8s-nobody', 'a b', 'x\ny', '', 'ä', 'a'.repeat(65)]) {
    assert.throws(() => planCreateOperatorUser(whole, { user: name }, none), /cannot be the name/, name);
  }
});

test('a user is the one that is meant only with this one password and exactly these rights', () => {
  const wanted = ['on', '~*', 'resetchannels', '-@all', '+ping', '+cluster|nodes'];
  const hash = hashOf('open sesame');
  const has = (rules: readonly string[], hashes: readonly string[] = [hash]) => ({
    rules: new Set(rules),
    hashes,
  });
  assert.ok(isUser(has(['on', '~*', '-@all', '+ping', '+cluster|nodes']), wanted, hash));
  const others = [
    has(['on', '~*', '-@all', '+ping']),
    has(['on', '~*', '-@all', '+ping', '+cluster|nodes', '+get']),
    has(['on', '~*', '-@all', '+ping', '+cluster|nodes', '&*']),
    has(['off', '~*', '-@all', '+ping', '+cluster|nodes']),
    has(['on', '~*', '-@all', '+ping', '+cluster|nodes'], [hash, hashOf('another')]),
    has(['on', 'nopass', '~*', '-@all', '+ping', '+cluster|nodes'], []),
  ];
  for (const [index, other] of others.entries()) assert.ok(!isUser(other, wanted, hash), String(index));
  assert.deepEqual(
    others.map((other) => grantsNoMore(other, wanted)),
    [true, false, false, true, true, false],
  );
});

test('the Secret keeps other users’ lines and one line for each user', () => {
  const first = withUserLine('', 'ops', ['on', '+ping'], '#aa');
  assert.equal(first, 'user ops on +ping #aa\n');
  const second = withUserLine(first, 'more', ['on'], '#bb');
  assert.equal(withUserLine(second, 'ops', ['on'], '#cc'), 'user more on #bb\nuser ops on #cc\n');
});
