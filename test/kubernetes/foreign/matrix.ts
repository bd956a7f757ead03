import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { messageOf } from '../../../src/model/errors.ts';
import type { PodFacts } from '../../../src/model/snapshot.ts';
import { until } from '../../support/adapterFixture.ts';
import { makeAuthority, type Authority } from '../../support/authority.ts';
import { recordShape, shapes, type Column, type ShapeId } from './compatibility.ts';
import { shapeFixture, type ShapeFixture } from './fixture.ts';
import { runInPod } from './inPod.ts';
import { isServing, nodeCount, readUntil } from './readings.ts';
import { rows } from './rows.ts';
import type { Shape } from './shape.ts';
import type { Certificates } from './tls.ts';

/** Runs every row of the matrix on a shape, one after another, and records what was found. */
export function matrixOf(id: ShapeId, make: (certificates: Certificates) => Shape): void {
  describe(shapes[id].join(': '), { timeout: 900_000 }, () => {
    const cells: Partial<Record<Column, string>> = {};
    let authority: Authority;
    let fixture: ShapeFixture;

    before(async () => {
      authority = await makeAuthority('foreign');
      fixture = await shapeFixture(make(await authority.issue(['localhost'])));
      await form(fixture);
    });

    after(async () => {
      const { shape, kubernetes, kubectl } = fixture;
      const answer = await kubectl(['get', '--raw', '/version']);
      const { gitVersion } = JSON.parse(answer) as { readonly gitVersion: string };
      const images = [shape.image, shape.replicaImage ?? shape.image].map((key) => kubernetes.images[key]);
      const versions = [...new Set(images.map((image) => image.replace(/^.*\//, '').replace(':', ' ')))].join(
        ' + ',
      );
      recordShape({ id, versions, kubernetes: gitVersion, cells, at: new Date().toISOString() });
      await fixture.close();
      await authority.dispose();
    });

    for (const [column, row] of rows) {
      test(column, { timeout: 200_000 }, async (context) => {
        try {
          cells[column] = await row(fixture);
          context.diagnostic(`${column}: ${cells[column]}`);
        } catch (error) {
          cells[column] = `**no**: ${messageOf(error).split('\n')[0] ?? ''}`;
          throw error;
        }
      });
    }
  });
}

/** Where a server says that it is reached, which may be a port of its Kubernetes node; its pod's address otherwise. */
async function announced({ admin, shape }: ShapeFixture, pod: PodFacts): Promise<string> {
  const nodes = await until(async () => {
    const output = await runInPod(admin, pod, `${shape.cli} cluster nodes`);
    return output.includes('myself') ? output : undefined;
  });
  const own = /(\S+):(\d+)@\d+\S* myself/.exec(nodes);
  return own === null ? `${pod.ip ?? ''}:${pod.port}` : `${own[1] ?? ''}:${own[2] ?? ''}`;
}

/** As the project's operator, job or script does it. */
export async function form(fixture: ShapeFixture): Promise<void> {
  const { shape } = fixture;
  const pods = await until(async () => {
    const found = await fixture.pods();
    const areReady = found.every(({ ready, running, ip }) => (ready || running === true) && ip !== undefined);
    return found.length === nodeCount && areReady ? found : undefined;
  }).catch(async () => assert.fail(await fixture.kubectl(['get', 'pods', '-o', 'wide'])));
  const [first] = pods;
  assert.ok(first);
  if (shape.formsItself !== true) {
    const addresses = (await Promise.all(pods.map((pod) => announced(fixture, pod)))).join(' ');
    const create = `${shape.cli} --cluster create ${addresses} --cluster-replicas 1 --cluster-yes`;
    let output = '';
    await until(async () => {
      output = await runInPod(fixture.admin, first, create);
      return output.includes('All 16384 slots covered') ? output : undefined;
    }, 60_000).catch(() => assert.fail(output));
  }
  await readUntil(fixture, 'the cluster is formed', isServing, 60);
}
