import type { PodFacts } from '../model/snapshot.ts';
import type { Container, PodSpec } from './apiObjects.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];

/**
 * Where a server's data can be. Its folder is known where an argument names it; otherwise a volume that outlives the pod
 * is taken to be for the data, and the best that is mounted counts.
 */
export function storageOf(
  spec: PodSpec | undefined,
  { volumeMounts = [], command = [], args = [] }: Container,
): PodFacts['storage'] & string {
  const folder = /--dir[= ]+"?(\/[^\s"]*)/.exec([...command, ...args].join(' '))?.[1];
  const kinds = volumeMounts
    .filter(({ mountPath }) => folder === undefined || isUnder(folder, mountPath))
    .map(({ name }) => kindOf(spec?.volumes?.find((volume) => volume.name === name)));
  if (kinds.includes('volume')) return 'volume';
  return kinds.includes('emptyDir') ? 'emptyDir' : 'none';
}

function isUnder(folder: string, mountPath: string): boolean {
  return `${folder}/`.startsWith(mountPath.endsWith('/') ? mountPath : `${mountPath}/`);
}

/** Configuration is no place for data. Whatever else is mounted outlives the pod, by whichever driver. */
function kindOf(volume: Volume | undefined): PodFacts['storage'] & string {
  if (volume?.emptyDir !== undefined) return 'emptyDir';
  const { secret, configMap, projected, downwardAPI } = volume ?? { secret: {} };
  const isConfiguration = [secret, configMap, projected, downwardAPI].some((one) => one !== undefined);
  return isConfiguration ? 'none' : 'volume';
}
