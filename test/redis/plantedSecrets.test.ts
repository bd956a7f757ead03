import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { after, before, test } from 'node:test';
import { check } from '../../src/checks/check.ts';
import { checkReport } from '../../src/checks/checkReport.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import type { ClusterSnapshot } from '../../src/model/snapshot.ts';
import { openJournal } from '../../src/operations/run/journal.ts';
import { writePlanFile } from '../../src/operations/plans/planFile.ts';
import { redisCliCommands } from '../../src/operations/plans/redisCli.ts';
import { planReshard } from '../../src/operations/reshard.ts';
import { runPlan } from '../../src/operations/run/runPlan.ts';
import type { Credentials } from '../../src/redis/nodeConnection.ts';
import * as redis from '../../src/redis/entry.ts';
import { slotMapState } from '../../src/ui/panels/slotMap/slotMapState.ts';
import { clusterRow } from '../../src/ui/tree/clusterRow.ts';
import { waiting } from '../../src/ui/run/waiting.ts';
import { readByAddress } from '../support/redis/byAddress.ts';
import { startTlsCluster, type TlsCluster } from '../support/redis/tlsCluster.ts';

const planted = 'planted-a1b2c3';

let cluster: TlsCluster;
let inventory: Inventory;
let given: Credentials;
let ref: { addresses: readonly string[] };
/** Everything that a state, a log, a journal, a file, a page, a title or a message would be made of. */
const written: string[] = [];
const keep = (what: unknown): void => {
  written.push(typeof what === 'string' ? what : JSON.stringify(what));
};
/** With its causes and what hangs on them, as a log of a bug or a report of a crash has them. */
const failing = async (work: Promise<unknown>): Promise<void> => {
  await assert.rejects(work, (error) => {
    written.push(inspect(error, { depth: 8, showHidden: true }));
    return true;
  });
};

before(async () => {
  cluster = await startTlsCluster(planted);
  given = cluster.credentials;
  inventory = readByAddress(() => given);
  ref = { addresses: cluster.addresses.slice(0, 1) };
});
after(async () => {
  inventory.dispose();
  await cluster.stop();
});

function keepReading(snapshot: ClusterSnapshot): void {
  const findings = check(snapshot);
  keep({ ...snapshot, history: undefined });
  keep(checkReport(snapshot, findings));
  keep([findings, clusterRow(snapshot, { all: [] }), slotMapState(snapshot)]);
}

test('neither a password nor a key stands in a reading, plan, file, journal, row, page or error', async () => {
  const { username, tls } = cluster.credentials;
  const snapshot = await inventory.fresh(ref);
  keepReading(snapshot);
  const [from, to] = snapshot.nodes.filter(({ role }) => role === 'master');
  assert.ok(from && to);
  const plan = planReshard(snapshot, { from: [from.id], to: to.id, slots: 20 });
  keep([plan, writePlanFile(plan, snapshot, new Date(0)), redisCliCommands(plan, snapshot)]);
  const lines: string[] = [];
  const store = {
    list: () => Promise.resolve([]),
    read: () => Promise.resolve(lines),
    append: (_: string, line: string) => Promise.resolve(void lines.push(line)),
    remove: () => Promise.resolve(),
  };
  const journal = await openJournal({ store, clock: Date.now, delay: waiting.delay }, plan);
  const dialer = await inventory.dialer(ref);
  const ports = {
    ...{ dialer, redis, report: keep, signal: AbortSignal.timeout(30_000), ...waiting },
    readSnapshot: () => inventory.fresh(ref),
  };
  const result = await runPlan(plan, { ...ports, observer: journal.observer });
  assert.equal(result.movedSlots, 20);
  await journal.close('done', 'done');
  keep([result, lines]);
  assert.ok(lines.length >= 4);

  const wrong: Credentials = { username, password: `${planted}-wrong`, tls };
  const mistaken: readonly Credentials[] = [
    wrong,
    { ...wrong, tls: { ...tls, ca: cluster.foreignAuthority } },
    { ...wrong, tls: { ...tls, serverName: 'other.example' } },
    { ...wrong, tls: { ...tls, cert: cluster.foreignAuthority } },
  ];
  for (const credentials of mistaken) await failing(inventory.trySignIn(ref, credentials));
  const connection = await dialer.dial(from.id);
  await failing(connection.call('MIGRATE', 'x', 'AUTH2', username, planted));
  await failing(connection.call('NOSUCH', planted));
  await failing(connection.call('AUTH', username, `${planted}-wrong`));
  connection.close();
  given = wrong;
  await inventory.reconnect(ref);
  const unread = await inventory.look(ref);
  keepReading(unread);
  await failing(inventory.fresh(ref));
  await failing(inventory.dialer(ref).then((other) => other.dial(from.id)));

  const key = tls.key?.split('\n')[1];
  assert.ok(key !== undefined && key.length > 40);
  assert.ok(written.length > 12);
  for (const text of written)
    for (const secret of [planted, key]) assert.ok(!text.includes(secret), text.slice(0, 2000));
});
