import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

interface Role {
  readonly rules: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

const root = join(import.meta.dirname, '../..');
const roleIn = (file: string): Role =>
  parse(readFileSync(join(root, 'manifests/rbac', file), 'utf8')) as Role;
const view = roleIn('view.yaml');
const operate = roleIn('operate.yaml');
/** What belongs to no namespace, so that no Role can grant it; what it is for works without. */
const clusterWide = ['storageclasses'];

function grants({ rules }: Role, verb: string, resource: string): boolean {
  return rules.some(({ resources, verbs }) => resources.includes(resource) && verbs.includes(verb));
}

/** The rights in a row of the README's table, each as verb and resource: "`get`, `patch` on `a`, `b`; `list` on `c`". */
function rightsIn(cell: string): readonly (readonly [verb: string, resource: string])[] {
  const words = (text: string): readonly string[] =>
    [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
  let verbs: readonly string[] = [];
  return cell.split(/;|(?<=`) and (?=`create`, `delete` on)/).flatMap((part) => {
    const [before = '', after] = part.split(' on ');
    if (after === undefined) return [];
    if (words(before).length > 0) verbs = words(before);
    return words(after).flatMap((resource) => verbs.map((verb) => [verb, resource] as const));
  });
}

test('the Roles grant what the README says that each command takes', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## Permissions'), readme.indexOf('## Safety'));
  const rows = [...table.matchAll(/^\| ([^|]+?) +\| ([^|]*`[^|]*) \|$/gm)];
  assert.ok(rows.length >= 8);
  const deployed = /on (`statefulsets`[^;]*);/.exec(
    rows.find(([, title]) => title === 'deploy')?.[2] ?? '',
  )?.[1];
  assert.ok(deployed !== undefined);
  for (const [, title = '', cell = ''] of rows) {
    const rights = rightsIn(cell.replace('the kinds that deploying creates', deployed));
    assert.ok(rights.length > 0, title);
    for (const [verb, resource] of rights) {
      if (clusterWide.includes(resource)) continue;
      assert.ok(grants(operate, verb, resource), `${title}: operate.yaml lacks ${verb} on ${resource}`);
      if (title === 'see clusters')
        assert.ok(grants(view, verb, resource), `view.yaml lacks ${verb} on ${resource}`);
    }
  }
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
