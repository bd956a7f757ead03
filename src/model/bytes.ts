import type { ReplicationView } from './nodeView.ts';

/** A size in the largest unit that it fills, as Kubernetes writes units: `1.5 MiB`. */
export function bytesText(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** How far a replica's full copy of its master has come; nothing where none is under way. */
export function copyText({ syncing, receivedBytes = 0 }: ReplicationView): string | undefined {
  return syncing === true ? `copying from its master, ${bytesText(receivedBytes)} so far` : undefined;
}
