import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesObject } from '../../../src/kubernetes/kubernetesAccess.ts';
import { readKustomization } from '../../../src/operations/manifests/kustomize.ts';
import { manifestFiles } from '../../support/manifestFiles.ts';

/** As much of the CronJob as these tests look at. */
interface Fields {
  readonly jobTemplate: {
    readonly spec: {
      readonly podFailurePolicy: object;
      readonly template: {
        readonly spec: {
          readonly initContainers: readonly Container[];
          readonly containers: readonly Container[];
        };
      };
    };
  };
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string }[];
  readonly envFrom?: readonly object[];
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly readOnly?: boolean }[];
}

const objects = readKustomization(manifestFiles(), 'components/backup-s3');
const named = (kind: string, name: string): KubernetesObject => {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found;
};
const job = (named('CronJob', 'redis-cluster-backup')['spec'] as Fields).jobTemplate.spec;
const pod = job.template.spec;

test('a backup is taken before it is copied, and only a failed copy is not followed by another backup', () => {
  assert.deepEqual(
    [pod.initContainers, pod.containers].map((list) => list.map(({ name }) => name)),
    [['backup'], ['s3']],
  );
  assert.deepEqual(job.podFailurePolicy, {
    rules: [{ action: 'FailJob', onExitCodes: { containerName: 's3', operator: 'In', values: [1] } }],
  });
});

test('the copying container is restricted, cannot write to the volume, and has its credentials from a Secret', () => {
  const [s3] = pod.containers;
  assert.deepEqual(s3?.securityContext, pod.initContainers[0]?.securityContext);
  assert.match(s3?.image ?? '', /^rclone\/rclone:\d+\.\d+\.\d+$/);
  assert.deepEqual(s3?.command, ['sh', '/opt/redis-cluster-backup-s3/backup-s3.sh']);
  assert.deepEqual(s3.envFrom, [{ secretRef: { name: 'redis-cluster-backup-s3' } }]);
  assert.deepEqual(
    s3.env.map(({ name }) => name),
    ['CLUSTER', 'KEEP', 'KEEP_DAYS'],
  );
  assert.deepEqual(
    s3.volumeMounts.filter(({ readOnly }) => readOnly !== true).map(({ name }) => name),
    ['tmp'],
  );
});

test('storage is reached on the ports of HTTPS and of MinIO only', () => {
  const { policyTypes, egress } = named('NetworkPolicy', 'redis-cluster-backup-s3')['spec'] as {
    readonly policyTypes: readonly string[];
    readonly egress: readonly { readonly ports: readonly { readonly port: number }[] }[];
  };
  assert.deepEqual(policyTypes, ['Egress']);
  assert.deepEqual(
    egress.map(({ ports }) => ports.map(({ port }) => port)),
    [[443, 9000]],
  );
});
