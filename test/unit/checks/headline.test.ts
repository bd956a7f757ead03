import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { headlineOf } from '../../../src/checks/headline.ts';
import type { Finding } from '../../../src/model/finding.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const found: Omit<Finding, 'rule'> = { severity: 'error', message: 'its message', evidence: [], nodeIds: [] };

test('every rule has a headline that fits a side bar of 200 px', () => {
  const files = globSync('src/{checks,operations,inventory}/**/*.ts', { cwd: root });
  const rules = files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/\brule: '([^']+)'/g)].map(([, rule = '']) => rule),
  );
  assert.ok(new Set(rules).size > 25);
  for (const rule of rules) {
    const headline = headlineOf({ ...found, rule });
    assert.notEqual(headline, 'its message', rule);
    assert.ok(headline.length <= 19, headline);
  }
});

test('what a rule says itself is more exact', () => {
  assert.equal(headlineOf({ ...found, rule: 'reachable', headline: 'Master failed' }), 'Master failed');
  assert.equal(headlineOf({ ...found, rule: 'memory-full', severity: 'warning' }), 'Memory almost full');
});
