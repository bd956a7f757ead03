import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseClusterNodes } from '../../../src/redis/clusterNodes.ts';
import type { NodeView } from '../../../src/model/nodeView.ts';
import type { NodeConnection } from '../../../src/redis/nodeConnection.ts';
import { nodeView, readNodeView } from '../../../src/redis/nodeView.ts';

const self = '07c37dfeb235213a872192d90877d0cd55635b91';
const other = '67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1';

function line(id: string, address: string, rest: string): string {
  return `${id} ${address} ${rest}\n`;
}

test('slots, open slots, flags and epochs of CLUSTER NODES are read', () => {
  const view = parseClusterNodes(
    line(
      self,
      '127.0.0.1:30001@31001',
      `myself,master - 0 0 1 connected 0-5460 8000 [93-<-${other}] [77->-${other}]`,
    ) +
      line(
        other,
        '127.0.0.1:30002@31002',
        'master,fail? - 1426238316232 1426238316000 2 disconnected 5461-5999',
      ),
  );
  assert.deepEqual(view.self.flags, ['master']);
  assert.deepEqual(view.self.slots, [
    [0, 5460],
    [8000, 8000],
  ]);
  assert.deepEqual(view.self.importing, [{ slot: 93, nodeId: other }]);
  assert.deepEqual(view.self.migrating, [{ slot: 77, nodeId: other }]);
  assert.equal(view.self.configEpoch, 1);
  const [peer] = view.others;
  assert.deepEqual(peer?.flags, ['master', 'fail?']);
  assert.equal(peer.linkState, 'disconnected');
  assert.equal(peer.configEpoch, 2);
});

test('what several nodes say alike of another is kept once, and what one says differently is seen', () => {
  const said = (before: string, times: string, after: string): unknown =>
    parseClusterNodes(
      line(self, '127.0.0.1:30001@31001', 'myself,master - 0 0 1 connected') +
        line(other, '127.0.0.1:30002@31002', `${before} ${times} ${after}`),
    ).others[0];
  const times = '0 1426238316232';
  const first = said('master -', times, '2 connected 0-99');
  assert.equal(said('master -', '1426238317000 1426238318000', '2 connected 0-99'), first);
  assert.notDeepEqual(said('master,fail? -', times, '2 connected 0-99'), first);
  assert.notDeepEqual(said(`slave ${self}`, times, '2 connected'), first);
  assert.notDeepEqual(said('master -', times, '3 connected 0-99'), first);
  assert.notDeepEqual(said('master -', times, '2 disconnected 0-99'), first);
  assert.notDeepEqual(said('master -', times, '2 connected 0-98'), first);
});

test('a server that says what it said before is not read anew, and what changes is seen wherever it stands', async () => {
  const said = (times: string, flags: string, slots: string, more = ''): string =>
    line(self, '127.0.0.1:30001@31001', 'myself,master - 0 0 1 connected 100-200') +
    line(other, '127.0.0.1:30002@31002', `${flags} - ${times} 2 connected ${slots}`) +
    more;
  const third = line('a'.repeat(40), '127.0.0.1:30003@31003', 'slave,fail - 0 5 2 connected');
  const plain = said('0 1426238316232', 'master', '0-99');
  const read = reader();
  const first = await read(plain);
  for (const times of ['0 1426238317232', '0 1426238319999', '1426238319999 1426238317232']) {
    const again = await read(said(times, 'master', '0-99'));
    assert.equal(again.self, first.self);
    assert.equal(again.others, first.others);
  }
  for (const text of [
    said('0 1426238318232', 'master', '0-98'),
    said('0 1426238318232', 'master', '0-999'),
    said('0 1426238318232', 'master', '0-9'),
    said('0 1426238318232', 'master,fail', '0-99'),
    said('0 1426238318232', 'noaddr', '0-99'),
    said('0 1426238318232', 'master', '0-99', third),
    plain.replace(' 2 connected', ' 3 connected'),
    plain.replace('myself,master - 0 0 1', 'myself,master - 0 0 2'),
    // As long as before, with something else where times stood.
    plain.replace('0 1426238316232 2 ', '0 142623831623x 2 '),
    plain.replace('0 1426238316232 2 connected', '0 142623 8316232 connected'),
    plain.split('\n').slice(0, 2).reverse().join('\n'),
  ]) {
    const afresh = reader();
    await afresh(plain);
    const now = await afresh(text);
    const { self: own, others } = parseClusterNodes(text);
    assert.deepEqual({ own: now.self, others: now.others }, { own, others });
    const back = await afresh(plain);
    assert.deepEqual({ own: back.self, others: back.others }, { own: first.self, others: first.others });
  }
});

/** One connection to a server that says these texts one after another. */
function reader(): (clusterNodes: string) => Promise<NodeView> {
  let text = '';
  const none = (): never => {
    throw new Error('not asked for');
  };
  const connection: NodeConnection = {
    call: none,
    callBuffer: none,
    pipeline: none,
    pipelineBuffer: () => Promise.resolve([text, clusterInfo, ''].map((reply) => Buffer.from(reply))),
    takeOver: none,
    close: none,
  };
  return (clusterNodes) => {
    text = clusterNodes;
    return readNodeView(connection);
  };
}

test('a replica names its master', () => {
  const { self: replica } = parseClusterNodes(
    line(self, '127.0.0.1:30004@31004', `myself,slave ${other} 0 1426238317239 4 connected`),
  );
  assert.equal(replica.masterId, other);
  assert.deepEqual(replica.slots, []);
});

test('addresses come as IPv4, IPv6, host names with auxiliary fields, and not at all', () => {
  const address = (text: string): unknown => {
    const { host, port, busPort, hostname } = parseClusterNodes(
      line(self, text, 'myself,master - 0 0 1 connected'),
    ).self;
    return { host, port, busPort, hostname };
  };
  const ipv6 = { host: '::1', port: 21990, busPort: 21991 };
  assert.deepEqual(address('::1:21990@21991,redis-0.redis'), { ...ipv6, hostname: 'redis-0.redis' });
  assert.deepEqual(address('::1:21990@21991'), { ...ipv6, hostname: undefined });
  assert.deepEqual(
    address('10.0.0.7:6379@16379,,tls-port=0,shard-id=69bc080733d1355567173199cff4a6a039a2f024'),
    {
      host: '10.0.0.7',
      port: 6379,
      busPort: 16379,
      hostname: undefined,
    },
  );
  assert.deepEqual(address('10.0.0.7:6379@16379,a.b,tls-port=0'), {
    host: '10.0.0.7',
    port: 6379,
    busPort: 16379,
    hostname: 'a.b',
  });
  assert.deepEqual(address(':0@0'), { host: '', port: 0, busPort: 0, hostname: undefined });
  assert.deepEqual(address(':6379@16379'), { host: '', port: 6379, busPort: 16379, hostname: undefined });
  const tlsOnly = { port: 18007, busPort: 28007, hostname: undefined };
  assert.deepEqual(address('10.0.0.5:0@28007'), { host: '10.0.0.5', ...tlsOnly });
  assert.deepEqual(address(':0@28007'), { host: '', ...tlsOnly });
});

const clusterInfo = 'cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_current_epoch:6\r\n';
const nodes = parseClusterNodes(
  line(self, '127.0.0.1:30001@31001', 'myself,master - 0 0 1 connected 0-16383'),
);

test('a Redis master and its replicas are read from INFO', () => {
  const view = nodeView(
    nodes,
    clusterInfo,
    [
      '# Server',
      'redis_version:7.0.15',
      'uptime_in_seconds:77',
      'used_memory:2097152',
      'maxmemory:0',
      'maxmemory_policy:allkeys-lru',
      'mem_not_counted_for_evict:512',
      'aof_last_write_status:err',
      'aof_last_bgrewrite_status:ok',
      'loading:0',
      'async_loading:0',
      'role:master',
      'connected_slaves:1',
      'slave0:ip=127.0.0.1,port=30004,state=online,offset=1400,lag=0',
      'master_repl_offset:1414',
      'db0:keys=3312,expires=12,avg_ttl=0',
      'db1:keys=2,expires=0,avg_ttl=0',
      '',
    ].join('\r\n'),
  );
  assert.equal(view.clusterState, 'ok');
  assert.equal(view.slotsAssigned, 16_384);
  assert.deepEqual([view.product, view.version], ['redis', '7.0.15']);
  assert.equal(view.keys, 3314);
  assert.equal(view.usedMemoryBytes, 2_097_152);
  assert.equal(view.uptimeSeconds, 77);
  assert.deepEqual([view.evictionPolicy, view.uncountedMemoryBytes], ['allkeys-lru', 512]);
  assert.deepEqual(view.persistence, {
    appendOnlyWritten: false,
    appendOnlyRewritten: true,
    snapshotSaved: true,
  });
  assert.deepEqual(view.replication, {
    role: 'master',
    offset: 1414,
    replicas: [{ host: '127.0.0.1', port: 30_004, offset: 1400, online: true }],
  });
});

test('a Valkey replica with its link down is read from INFO', () => {
  const view = nodeView(
    nodes,
    clusterInfo.replace('ok', 'fail'),
    [
      'redis_version:7.2.4',
      'server_name:valkey',
      'valkey_version:8.1.1',
      'loading:1',
      'role:slave',
      'master_link_status:down',
      'master_sync_in_progress:1',
      'master_sync_read_bytes:4096',
      'slave_repl_offset:12',
    ].join('\r\n'),
  );
  assert.deepEqual([view.product, view.version], ['valkey', '8.1.1']);
  assert.equal(view.clusterState, 'fail');
  assert.equal(view.loading, true);
  assert.deepEqual(view.replication, {
    role: 'replica',
    offset: 12,
    linkUp: false,
    syncing: true,
    receivedBytes: 4096,
    replicas: [],
  });
});

test('a text without the server itself is refused', () => {
  assert.throws(() => parseClusterNodes(''), /does not contain the server itself/);
});
