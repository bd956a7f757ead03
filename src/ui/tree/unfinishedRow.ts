import type { ClusterRef } from '../../model/clusterRef.ts';
import { agoText } from '../../model/ago.ts';
import { quantity } from '../../model/quantity.ts';
import type { UnfinishedEnd } from '../../operations/run/journal.ts';
import type { ClusterWork } from './clusterRow.ts';
import type { Row } from './row.ts';

const ends: Readonly<Record<UnfinishedEnd, string>> = {
  died: 'VS Code closed before it finished.',
  closed: 'VS Code closed before it finished; it stopped at a safe point.',
  failed: 'It failed before it finished.',
  cancelled: 'It was cancelled.',
};

/** A row for each operation that ended with steps left; none while another one may be finishing them. */
export function unfinishedRows(
  id: string,
  ref: ClusterRef,
  { own, unfinished = [] }: ClusterWork,
): readonly Row[] {
  return own === undefined ? unfinished.map((one) => unfinishedRow(id, ref, one)) : [];
}

function unfinishedRow(
  id: string,
  ref: ClusterRef,
  { id: journal, title, end, steps, lastAt }: NonNullable<ClusterWork['unfinished']>[number],
): Row {
  const done = steps === undefined ? [] : [`${steps.done} of ${quantity(steps.of, 'step')} done`];
  return {
    id: `${id}/unfinished/${journal}`,
    label: `Not finished: ${title}`,
    description: [...done, agoText(lastAt)].join(' · '),
    tooltip: [
      title,
      ends[end],
      ...done,
      'Resume continues where it stopped. Repair only completes half-finished steps.',
    ],
    icon: { name: 'debug-continue', color: 'list.warningForeground' },
    facets: 'unfinished',
    expansion: 'none',
    children: [],
    target: { kind: 'unfinished', ref, journal },
    click: { command: 'redisCluster.showUnfinished', title: 'Show Details' },
  };
}
