import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { permissionsTable } from '../support/permissionsTable.ts';

interface Role {
  readonly rules: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

const root = join(import.meta.dirname, '../..');
const roleIn = (file: string): Role =>
  parse(readFileSync(join(root, 'manifests/rbac', file), 'utf8')) as Role;
const view = roleIn('view.yaml');
const operate = roleIn('operate.yaml');
function grants({ rules }: Role, verb: string, resource: string): boolean {
  return rules.some(({ resources, verbs }) => resources.includes(resource) && verbs.includes(verb));
}

test('the Roles grant what the README says that each command takes', () => {
  const table = permissionsTable();
  assert.ok(table.size >= 8);
  for (const [title, rights] of table) {
    assert.ok(rights.length > 0, title);
    for (const [verb, resource] of rights) {
      assert.ok(grants(operate, verb, resource), `${title}: operate.yaml lacks ${verb} on ${resource}`);
      if (title === 'see clusters')
        assert.ok(grants(view, verb, resource), `view.yaml lacks ${verb} on ${resource}`);
    }
  }
});

test('the Roles grant nothing that no command takes', () => {
  const named = new Set([...permissionsTable().values()].flat().map((right) => right.join(' ')));
  for (const { resources, verbs } of [...view.rules, ...operate.rules])
    for (const resource of resources)
      for (const verb of verbs) assert.ok(named.has(`${verb} ${resource}`), `${verb} ${resource}`);
});

test('who may view changes nothing, and whoever operates may view', () => {
  for (const { resources, verbs } of view.rules)
    for (const resource of resources)
      for (const verb of verbs) {
        const isReading = ['get', 'list', 'watch'].includes(verb);
        assert.ok(isReading || resource === 'pods/portforward', `${verb} on ${resource}`);
        assert.ok(grants(operate, verb, resource), `operate.yaml lacks ${verb} on ${resource}`);
      }
});
