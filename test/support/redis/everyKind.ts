import type { Write } from './fill.ts';

type Family = '7.0' | 'redisNewest' | 'valkeyNewest';

/** Commands that write values of every kind that servers of a version have, in every form in which they keep them. */
export function everyKind(version: Family): readonly Write[] {
  const key = (name: string): Buffer => Buffer.from(name);
  const numbers = Array.from({ length: 600 }, (_, index) => index);
  return [
    ...numbers.map((n): Write => ['SET', key(`text ${n}`), 'v'.repeat(n % 90)]),
    ['SET', key('integer'), 12345],
    ['SET', key('negative'), -7],
    ['SET', key('expiring'), 'x', 'PX', 10_000_000],
    ['SET', key('a long key that is packed'.repeat(20)), 'short'],
    ['SET', Buffer.of(0, 255, 13, 10, 123), Buffer.of(0, 1, 254)],
    ['SET', key('large'), 'z'.repeat(3_000_000)],
    ['RPUSH', key('list short'), 'a', 1],
    ['RPUSH', key('list of large'), 'q'.repeat(20_000), 'r'],
    ['SADD', key('set of integers'), 1, 2, 70_000],
    ['SADD', key('set short'), 'a', 'b'],
    ['ZADD', key('sorted short'), 'inf', 'a', 1.25, 'b'],
    ['HSET', key('hash short'), 'a', 'b'],
    ...numbers.flatMap((n): Write[] => [
      ['RPUSH', key('list'), `entry ${n}${'x'.repeat(n)}`],
      ['SADD', key('set'), `member ${n}`],
      ['ZADD', key('sorted'), n * 1.5, `member ${n}`],
      ['HSET', key('hash'), `field ${n}`, `value ${n}`],
      ['XADD', key('stream'), `${n + 1}-1`, 'field', `value ${n}`],
    ]),
    ['XGROUP', key('CREATE'), 'stream', 'group', '0'],
    ['XREADGROUP', key('GROUP'), 'group', 'reader', 'COUNT', 10, 'STREAMS', 'stream', '>'],
    ['XGROUP', key('CREATECONSUMER'), 'stream', 'group', 'idle'],
    ['XDEL', key('stream'), '1-1'],
    ...(version === '7.0' ? [] : fieldsThatExpire(key)),
    ...(version === 'redisNewest' ? producers(key) : []),
    ['FUNCTION', key('LOAD'), '#!lua name=library\nredis.register_function("f", function() return 1 end)'],
  ];
}

function fieldsThatExpire(key: (name: string) => Buffer): readonly Write[] {
  const fields = Array.from({ length: 700 }, (_, index) => [`field ${index}`, 'x'.repeat(80)]).flat();
  return [
    ['HSET', key('fields expire'), 'a', 1, 'b', 2],
    ['HPEXPIRE', key('fields expire'), 100_000_000, 'FIELDS', 1, 'a'],
    ['HSET', key('many fields expire'), ...fields],
    ['HPEXPIRE', key('many fields expire'), 100_000_000, 'FIELDS', 2, 'field 1', 'field 2'],
  ];
}

function producers(key: (name: string) => Buffer): readonly Write[] {
  return [
    ['XADD', key('sent once'), 'IDMP', 'producer', 'id 1', '*', 'field', 'value'],
    ['XADD', key('sent once'), 'IDMP', 'producer', 'id 2', '*', 'field', 'value'],
    ['XADD', key('sent once'), 'IDMP', 'another', 'id 1', '*', 'field', 'value'],
  ];
}
