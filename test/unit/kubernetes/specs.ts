import assert from 'node:assert/strict';
import type { Container, PodSpec } from '../../../src/kubernetes/apiObjects.ts';
import { candidates } from '../../../src/kubernetes/discover.ts';
import type { Candidate } from '../../../src/kubernetes/kubernetesAccess.ts';
import type { PasswordSource, TextSource } from '../../../src/kubernetes/signInSources.ts';

export type Env = NonNullable<Container['env']>;

/** What is found of a single pod with such a container. */
export function candidateOf(parts: Partial<Container>, spec: Partial<PodSpec> = {}): Candidate {
  const container = { name: 'server', image: 'redis:7', ...parts };
  const pod = { metadata: { name: 'a', namespace: 'ns' }, spec: { containers: [container], ...spec } };
  const [found] = candidates([pod], []);
  assert.ok(found);
  return found;
}

export const value = (name: string, text: string): Env[number] => ({ name, value: text });
export const fromSecret = (name: string, key = 'pw'): Env[number] => ({
  name,
  valueFrom: { secretKeyRef: { name: 'auth', key } },
});

/** A source as a short text. */
export function written(source: TextSource | undefined): string | undefined {
  if (source === undefined) return undefined;
  if ('secret' in source) return `secret ${source.secret}/${source.key}`;
  return 'configMap' in source ? `configmap ${source.configMap}/${source.key}` : `'${source.text()}'`;
}

export const passwords = (sources: readonly PasswordSource[] = []): readonly string[] =>
  sources.map(({ password, username }) => [written(username), written(password)].filter(Boolean).join(' '));
