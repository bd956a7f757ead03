import { countText, type Progress } from '../../../model/progress.ts';
import type { ClusterWork } from '../../tree/clusterRow.ts';
import { percentOf, visibleWork } from '../../tree/operationRow.ts';
import type { RunningState } from './messages.ts';

/** What the slot map's bar says of the work on its cluster; undefined where nothing runs. */
export function runningState({ own, all }: Pick<ClusterWork, 'own' | 'all'>): RunningState | undefined {
  if (own !== undefined) return ownState(own.title, own.progress);
  const [other] = visibleWork(all);
  if (other === undefined) return undefined;
  const { title, holder } = other;
  return { title, canCancel: false, ...(holder === undefined ? {} : { holder }) };
}

function ownState(title: string, progress: Progress): RunningState {
  const [counted] = countText(progress);
  const percent = percentOf(progress);
  return {
    title,
    text: progress.text,
    canCancel: true,
    ...(counted === undefined ? {} : { counted }),
    ...(percent === undefined ? {} : { percent }),
    ...(progress.paused === undefined ? {} : { paused: progress.paused }),
  };
}
