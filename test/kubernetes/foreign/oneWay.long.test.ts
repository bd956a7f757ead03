import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ClusterSnapshot } from '../../../src/model/snapshot.ts';
import { agreed } from '../../../src/operations/servers/agreed.ts';
import { planPromote } from '../../../src/operations/promote.ts';
import { runPlan } from '../../../src/operations/run/runPlan.ts';
import { makeAuthority, type Authority } from '../../support/authority.ts';
import type { Column } from './compatibility.ts';
import { shapeFixture, type ShapeFixture } from './fixture.ts';
import { form } from './matrix.ts';
import { chart } from './projects/bitnami.ts';
import { isWhole, readUntil } from './readings.ts';
import { rows } from './rows.ts';

const seeing = [
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
  { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get'] },
];

const columns: readonly Column[] = ['found', 'signIn', 'check', 'heal', 'slotMap', 'reshard'];

for (const [right, viaExec] of [
  ['pods/exec', true],
  ['pods/portforward', false],
] as const) {
  describe(`with ${right} alone, over TLS with client certificates`, { timeout: 600_000 }, () => {
    let authority: Authority;
    let fixture: ShapeFixture;
    before(async () => {
      authority = await makeAuthority('foreign');
      const tls = await authority.issue(['localhost']);
      const rights = { apiGroups: [''], resources: [right], verbs: ['get', 'create'] };
      fixture = await shapeFixture(chart({ product: 'redis', image: 'redis8', tls }), [...seeing, rights]);
      await form(fixture);
    });
    after(async () => {
      await fixture.close();
      await authority.dispose();
    });

    const everyNode = ({ nodes }: ClusterSnapshot): void => {
      assert.deepEqual(
        nodes.map((node) => node.viaExec === true),
        nodes.map(() => viaExec),
      );
    };

    for (const [column, row] of rows.filter(([one]) => columns.includes(one))) {
      test(column, { timeout: 200_000 }, async (context) => {
        context.diagnostic(await row(fixture));
        everyNode(await fixture.inventory().fresh(fixture.ref));
      });
    }

    test('a replica is promoted', async () => {
      const ports = await fixture.runPorts();
      const before = await agreed(ports.readSnapshot);
      const replica = before.nodes.find(({ role }) => role === 'replica');
      assert.ok(replica);
      await runPlan(planPromote(before, { node: replica.id }), ports);
      const after = await readUntil(fixture, 'promoted', isWhole);
      assert.equal(after.nodes.find(({ id }) => id === replica.id)?.role, 'master');
      everyNode(after);
    });
  });
}
