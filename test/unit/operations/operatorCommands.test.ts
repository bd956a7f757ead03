import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { operatorCommands, rulesForAnyVersion } from '../../../src/operations/users/rules.ts';

const source = join(import.meta.dirname, '..', '..', '..', 'src');
/** Sample keys are for sandboxes, a plan's shell commands for people, and users are created by whoever may. */
const others = [/^redis\/sampleKeys\.ts$/, /^operations\/plans\//, /^operations\/users\//];
/** Words in capitals at the beginning of a list that are no commands. AUTH is allowed to everybody. */
const noCommands = new Set([
  'AUTH',
  'AUTH2',
  'COPY',
  'REPLACE',
  'ECONNREFUSED',
  'FORCE',
  'TAKEOVER',
  'NOREPLICAS',
]);
const containers = new Set(['CLUSTER', 'CONFIG', 'CLIENT', 'MEMORY', 'FUNCTION', 'COMMAND', 'ACL']);
/** What MIGRATE makes a server send to the receiver, in the name of the user. */
const byServers = ['restore-asking', 'select'];
/** ACL DRYRUN asks whether another user may run it; nobody here does. */
const askedAbout = ['cluster|syncslots'];

function word(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) && /^[A-Z][A-Z0-9-]+$/.test(node.text)
    ? node.text
    : undefined;
}

function commandOf(list: readonly ts.Node[]): readonly string[] {
  const [verb, sub] = [word(list[0]), word(list[1])];
  if (verb === undefined || noCommands.has(verb)) return [];
  if (!containers.has(verb)) return [verb.toLowerCase()];
  assert.ok(sub, `${verb} without its subcommand: ${list.map((one) => one.getText()).join(' ')}`);
  return [`${verb}|${sub}`.toLowerCase()];
}

/** Every command that a file sends: `call('X', …)`, `['X', …]`, `redis.call('X', …)` in a script, `{ type: 'XLEN' }`. */
function commandsIn(path: string): readonly string[] {
  const text = readFileSync(join(source, path), 'utf8');
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isArrayLiteralExpression(node)) found.push(...commandOf(node.elements));
    if (ts.isCallExpression(node) && /\.call(?:Buffer)?$/.test(node.expression.getText()))
      found.push(...commandOf(node.arguments));
    if (ts.isPropertyAssignment(node) && path.startsWith('redis/')) {
      const verb = word(node.initializer);
      if (verb !== undefined) found.push(verb.toLowerCase());
    }
    if (ts.isStringLiteralLike(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      for (const [, verb = '', sub] of node.text.matchAll(/redis\.call\('([A-Z]+)'(?:,\s*'([A-Z]+)')?/g)) {
        found.push((containers.has(verb) ? `${verb}|${sub ?? ''}` : verb).toLowerCase());
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test('the operator user may run what the code sends, and nothing else', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (path) =>
      /^(?:redis|operations|inventory|ui)\/.*\.ts$/.test(path) && !others.some((other) => other.test(path)),
  );
  const sent = new Set(files.flatMap(commandsIn).filter((command) => !askedAbout.includes(command)));
  assert.ok(sent.size > 40, `${sent.size} commands found`);
  assert.deepEqual([...sent, ...byServers].sort(), [...operatorCommands]);
});

test('the rules for pods to come name the version that a newer command takes', () => {
  const rules = rulesForAnyVersion();
  assert.ok(rules.includes('redis-8.4:+cluster|migration'));
  assert.ok(rules.includes('+cluster|setslot'));
  assert.ok(!rules.some((rule) => /^\+@|allkeys|nopass/.test(rule)));
});
