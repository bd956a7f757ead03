import assert from 'node:assert/strict';
import type { Source } from '../../../src/inventory/source.ts';
import type { Unit } from '../../../src/inventory/units.ts';
import type { KnownNode } from '../../../src/model/nodeView.ts';
import { ids, pod, source } from '../sample.ts';

/** A StatefulSet with these servers. */
export function unit(
  name: string,
  sources: readonly Source[],
  kin: Unit['kin'] = {},
  replicas = sources.length,
): Unit {
  const workload = { kind: 'StatefulSet' as const, name, replicas, readyReplicas: replicas, bundled: false };
  return { workload, sources, kin };
}

export const whole = (prefix: string): readonly Source[] => ids.map((id) => member(prefix, id));

/** A node of a whole cluster of its own: its ids begin with a prefix. */
export function member(prefix: string, id: string, changes: Partial<KnownNode> = {}): Source {
  const own = source(id).reading.view;
  assert.ok(own);
  const renamed = (one: KnownNode): KnownNode => ({
    ...one,
    id: `${prefix}${one.id}`,
    ...(one.masterId === undefined ? {} : { masterId: `${prefix}${one.masterId}` }),
  });
  const self = { ...renamed(own.self), ...changes };
  return {
    pod: pod(`${prefix}${id}`, own.self.host),
    reading: { tried: true, lastId: self.id, view: { ...own, self, others: own.others.map(renamed) } },
  };
}
