import { quantity } from '../../model/quantity.ts';
import { isUnread, whyUnread } from '../../model/unread.ts';
import type { TreeState } from './rows.ts';

/** What stands on the view's icon: how much runs or cannot be read, with one line for each in its tooltip. */
interface Badge {
  readonly value: number;
  readonly tooltip: string;
}

/** Undefined where no operation runs and every cluster that was looked at could be read. */
export function badgeOf(
  running: number,
  { contexts, addressClusters }: Pick<TreeState, 'contexts' | 'addressClusters'>,
): Badge | undefined {
  const unread = [
    ...addressClusters.flatMap(({ source, snapshot }) =>
      snapshot === undefined ? [] : [{ ...snapshot, name: source.name }],
    ),
    ...contexts.flatMap(({ scopes }) => scopes.flatMap(({ clusters }) => clusters)),
  ].filter(isUnread);
  if (running + unread.length === 0) return undefined;
  const lines = [
    ...(running === 0 ? [] : [`${quantity(running, 'operation')} running`]),
    ...unread.map((snapshot) => `${snapshot.name} cannot be read: ${whyUnread(snapshot)}`),
  ];
  return { value: running + unread.length, tooltip: lines.join('\n') };
}
