import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { check } from '../../../src/checks/check.ts';
import { checkReport } from '../../../src/checks/checkReport.ts';
import { readConfiguration } from '../../../src/inventory/serverConfiguration.ts';
import { parseAddress, parseClusterRef } from '../../../src/model/clusterRef.ts';
import { UserError } from '../../../src/model/errors.ts';
import { countSlots, formatSlots, parseSlots, slotCount, type SlotSet } from '../../../src/model/slots.ts';
import { readPlanFile, writePlanFile } from '../../../src/operations/plans/planFile.ts';
import { planReshard } from '../../../src/operations/reshard.ts';
import { parseClusterNodes } from '../../../src/redis/clusterNodes.ts';
import { nodeView } from '../../../src/redis/nodeView.ts';
import { slotMapState } from '../../../src/ui/panels/slotMap/slotMapState.ts';
import { ids, snapshotOf, source } from '../sample.ts';
import { clusterRow } from '../../../src/ui/tree/clusterRow.ts';
import { edited } from './edited.ts';

// What servers and files say comes from anybody: it is read, or refused in words, and nothing else happens.

const runs = { numRuns: 20_000, endOnFailure: true };
const id = (digit: string): string => digit.repeat(40);
const nodes = [
  `${id('a')} 10.0.0.1:6379@16379,host-a,shard-id=${id('1')} myself,master - 0 0 7 connected 0-5460 [93->-${id('b')}]`,
  `${id('b')} 10.0.0.2:6379@16379,host-b master - 0 1700000000000 8 connected 5461-16383 [7-<-${id('a')}]`,
  `${id('c')} 10.0.0.3:6379@16379 slave,fail? ${id('a')} 1 2 7 disconnected`,
  '',
].join('\n');
const clusterInfo = 'cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_current_epoch:8\r\n';
const info = [
  ...[
    '# Server',
    'redis_version:7.0.15',
    `run_id:${id('d')}`,
    'uptime_in_seconds:60',
    '# Memory',
    'used_memory:1024',
  ],
  ...['maxmemory:0', 'maxmemory_policy:noeviction', '# Replication', 'role:master', 'connected_slaves:1'],
  'slave0:ip=10.0.0.3,port=6379,state=online,offset=10,lag=0',
  ...['master_repl_offset:10', '# Keyspace', 'db0:keys=100,expires=0,avg_ttl=0', ''],
].join('\r\n');

/** The value, or undefined where it was refused in words. */
function readOrRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return undefined;
  }
}

function assertSlots(slots: SlotSet): void {
  assert.ok(countSlots(slots) <= slotCount);
  for (const [start, end] of slots)
    assert.ok(start >= 0 && end < slotCount && start <= end, formatSlots(slots));
}

/** What steers a terminal or the direction of text, and what notifications make a link or Markdown a tag of. */
const steering = /(?!\n)\p{Cc}|\p{Cf}|\]\(|<\w/u;

/** All texts in what is drawn or sent to a page. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

test('replies to CLUSTER NODES: no slot is read that there is not', () => {
  fc.assert(
    fc.property(edited(nodes), (text) => {
      const read = readOrRefused(() => parseClusterNodes(text));
      for (const node of read === undefined ? [] : [read.self, ...read.others]) {
        assertSlots(node.slots);
        for (const { slot } of [...node.migrating, ...node.importing])
          assert.ok(slot >= 0 && slot < slotCount);
      }
    }),
    runs,
  );
});

test('replies to INFO and CLUSTER INFO: numbers are numbers', () => {
  const known = parseClusterNodes(nodes);
  fc.assert(
    fc.property(edited(clusterInfo), edited(info), (cluster, text) => {
      const { keys, uptimeSeconds, usedMemoryBytes, slotsAssigned, replication } = nodeView(
        known,
        cluster,
        text,
      );
      for (const number of [keys, uptimeSeconds, usedMemoryBytes, slotsAssigned, replication.offset])
        assert.ok(!Number.isNaN(number));
    }),
    runs,
  );
});

test('what such replies say is checked, reported and drawn', () => {
  fc.assert(
    fc.property(edited(nodes), edited(info), (text, infoText) => {
      const known = readOrRefused(() => parseClusterNodes(text));
      if (known === undefined) return;
      const view = nodeView(known, clusterInfo, infoText);
      const snapshot = snapshotOf([{ reading: { tried: true, view, lastId: view.self.id } }]);
      const report = checkReport(snapshot, check(snapshot));
      assert.doesNotMatch(report.replaceAll(/```text[^]*?```/g, ''), /(?<!\\)<(?!\/?(?:details|summary)>)/);
      const drawn = [clusterRow(snapshot, { all: [] }), slotMapState(snapshot), check(snapshot)];
      for (const shown of textsIn(drawn)) assert.doesNotMatch(shown, steering, JSON.stringify(shown));
    }),
    runs,
  );
});

test('plan files: read, or refused', () => {
  const snapshot = snapshotOf(ids.map((one) => source(one)));
  const plan = planReshard(snapshot, { from: ['m0'], to: 'm1', slots: 10 });
  const right = writePlanFile(plan, snapshot, new Date('2026-01-01T00:00:00Z')).replaceAll(
    /"[mr]\d"/g,
    (short) =>
      `"${'a'.repeat(39)}${short.startsWith('"m') ? short.charAt(2) : `${Number(short.charAt(2)) + 4}`}"`,
  );
  assert.equal(readPlanFile(right).steps.length, 1);
  fc.assert(
    fc.property(edited(right), (text) => {
      for (const step of readOrRefused(() => readPlanFile(text))?.steps ?? [])
        if ('slots' in step) assertSlots(step.slots);
    }),
    runs,
  );
});

test('slots, addresses, references and configuration files: read, or refused', () => {
  fc.assert(
    fc.property(
      edited('0-99,200,300-16383'),
      edited('[::1]:6379'),
      edited('requirepass "a b"\nuser x on >y\n'),
      (slots, address, file) => {
        assertSlots(readOrRefused(() => parseSlots(slots)) ?? []);
        const port = readOrRefused(() => parseAddress(address))?.port ?? 1;
        assert.ok(port > 0 && port < 65_536);
        readOrRefused(() => parseClusterRef({ addresses: [address] }));
        readConfiguration(file);
      },
    ),
    runs,
  );
});

test('texts without end are read in time that grows with their length only', () => {
  const started = performance.now();
  nodeView(parseClusterNodes(nodes), clusterInfo, '\ndb'.repeat(2_000_000));
  parseClusterNodes(`${nodes}${'x'.repeat(2_000_000)}\n${' '.repeat(2_000_000)}`);
  readConfiguration('\\'.repeat(1_000_000));
  assert.ok(performance.now() - started < 5_000);
});
