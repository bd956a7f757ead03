import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { readKustomization } from '../../../src/operations/manifests/kustomize.ts';
import { manifestFiles, manifestFolder } from '../../support/manifestFiles.ts';

const objects = readKustomization(manifestFiles(), 'components/backup');

function ofKind(kind: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind);
  assert.ok(found, kind);
  return found;
}

/** As much of the CronJob as these tests look at. */
interface Fields {
  readonly concurrencyPolicy: string;
  readonly successfulJobsHistoryLimit: number;
  readonly failedJobsHistoryLimit: number;
  readonly jobTemplate: {
    readonly spec: {
      readonly template: {
        readonly metadata: { readonly labels: Readonly<Record<string, string>> };
        readonly spec: {
          readonly automountServiceAccountToken: boolean;
          readonly containers: readonly {
            readonly command: readonly string[];
            readonly env: readonly {
              readonly name: string;
              readonly value?: string;
              readonly valueFrom?: object;
            }[];
            readonly securityContext: object;
          }[];
        };
      };
    };
  };
}

const spec = ofKind('CronJob')['spec'] as Fields;
const { metadata, spec: pod } = spec.jobTemplate.spec.template;
const [container] = pod.containers;

test('a backup’s pod is none of the servers: no selector of theirs finds it', () => {
  const selectors = readKustomization(manifestFiles(), '').flatMap(({ kind, spec: own }) => {
    const { selector, podSelector } = (own ?? {}) as Readonly<
      Record<string, { readonly matchLabels?: Readonly<Record<string, string>> }>
    >;
    const found = kind === 'Service' ? selector : (selector ?? podSelector)?.matchLabels;
    return found === undefined ? [] : [found as Readonly<Record<string, string>>];
  });
  assert.ok(selectors.length >= 5);
  for (const selector of selectors) {
    const isFound = Object.entries(selector).every(([label, value]) => metadata.labels[label] === value);
    assert.ok(!isFound, JSON.stringify(selector));
  }
});

test('it runs restricted, one at a time, and takes the password from a Secret by its environment only', () => {
  assert.equal(spec.concurrencyPolicy, 'Forbid');
  assert.ok(spec.successfulJobsHistoryLimit >= 1 && spec.failedJobsHistoryLimit >= 1);
  assert.equal(pod.automountServiceAccountToken, false);
  assert.deepEqual(container?.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.deepEqual(container.command, ['sh', '/opt/redis-cluster-backup/backup.sh']);
  const secrets = container.env.filter(({ name }) => /AUTH|PASSWORD/.test(name));
  assert.equal(secrets.length, 2);
  for (const { name, value, valueFrom } of secrets) {
    assert.equal(value, undefined, name);
    assert.match(JSON.stringify(valueFrom), /"secretKeyRef":\{"name":"redis-cluster-auth"/);
  }
});

test('its ConfigMap holds every script, and its pods reach names and servers only', () => {
  const scripts = readdirSync(join(manifestFolder, 'components/backup')).filter((name) =>
    name.endsWith('.sh'),
  );
  assert.deepEqual(Object.keys(ofKind('ConfigMap')['data'] as object).toSorted(), scripts.toSorted());
  const { policyTypes, egress, ingress } = ofKind('NetworkPolicy')['spec'] as {
    readonly policyTypes: readonly string[];
    readonly egress: readonly object[];
    readonly ingress?: unknown;
  };
  assert.deepEqual(policyTypes, ['Ingress', 'Egress']);
  assert.equal(egress.length, 2);
  assert.equal(ingress, undefined);
});
