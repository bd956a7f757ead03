import { posix } from 'node:path';
import { isConfigurationKey } from '../model/configurationKey.ts';
import type { Container, PodSpec } from './apiObjects.ts';
import type { ConfigMapKey, SecretKey } from './kubernetesAccess.ts';
import type { MountedObject } from './signInSources.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type Mount = NonNullable<Container['volumeMounts']>[number];
type Items = readonly { readonly key: string; readonly path: string }[] | undefined;

/** A Secret or ConfigMap of a volume, with the part of it that is mounted. */
interface Projection {
  readonly kind: MountedObject['kind'];
  readonly name: string;
  readonly items: Items;
}

/** The key of the Secret or ConfigMap whose text a container sees at a path. */
export function fileAt(
  spec: PodSpec | undefined,
  { volumeMounts = [] }: Container,
  path: string,
): SecretKey | ConfigMapKey | undefined {
  const file = plain(path);
  // The longest mount path counts: it hides what another volume has below it.
  const [mount] = volumeMounts
    .filter(({ mountPath }) => isWithin(file, plain(mountPath)))
    .sort((a, b) => plain(b.mountPath).length - plain(a.mountPath).length);
  if (mount === undefined || mount.subPathExpr !== undefined) return undefined;
  const within = posix.join(mount.subPath ?? '', posix.relative(plain(mount.mountPath), file));
  for (const { kind, name, items } of projectionsOf(spec, mount)) {
    const key = items === undefined ? within : items.find((item) => plain(item.path) === plain(within))?.key;
    if (key === undefined || key === '' || key.includes('/')) continue;
    return kind === 'secrets' ? { secret: name, key } : { configMap: name, key };
  }
  return undefined;
}

/** Folders that Secrets with certificates are mounted at, by what the mount or its volume is called. */
export function certificateFolders(
  spec: PodSpec | undefined,
  { volumeMounts = [] }: Container,
): readonly string[] {
  return volumeMounts
    .filter((mount) => isForCertificates(mount))
    .filter((mount) => projectionsOf(spec, mount).some(({ kind }) => kind === 'secrets'))
    .map(({ mountPath }) => plain(mountPath));
}

/**
 * The mounted objects that may hold a server's configuration, ConfigMaps first. Init containers count: many copy the file
 * to a folder that the server can write to. Secrets of certificates are left alone.
 */
export function mountedObjects(spec: PodSpec | undefined, container: Container): readonly MountedObject[] {
  const mounts = [container, ...(spec?.initContainers ?? [])]
    .flatMap(({ volumeMounts = [] }) => volumeMounts)
    .filter((mount) => !isForCertificates(mount));
  const objects = new Map<string, MountedObject>();
  for (const mount of mounts) {
    for (const { kind, name, items } of projectionsOf(spec, mount)) {
      const keys = items?.map(({ key }) => key).filter(isConfigurationKey);
      if (keys?.length === 0) continue;
      objects.set(`${kind}/${name}`, { kind, name, ...(keys === undefined ? {} : { keys }) });
    }
  }
  return [...objects.values()].sort((a, b) => a.kind.localeCompare(b.kind));
}

function isForCertificates({ name, mountPath }: Mount): boolean {
  return /tls|ssl|cert/i.test(name) || /tls|ssl|cert/i.test(mountPath);
}

function projectionsOf(spec: PodSpec | undefined, { name }: Mount): readonly Projection[] {
  const volume = spec?.volumes?.find((one) => one.name === name);
  return volume === undefined ? [] : [...sourcesIn(volume)];
}

function* sourcesIn({ secret, configMap, projected }: Volume): Generator<Projection> {
  if (secret?.secretName !== undefined) {
    yield { kind: 'secrets', name: secret.secretName, items: secret.items };
  }
  if (configMap?.name !== undefined) {
    yield { kind: 'configmaps', name: configMap.name, items: configMap.items };
  }
  for (const source of projected?.sources ?? []) {
    if (source.secret?.name !== undefined) {
      yield { kind: 'secrets', name: source.secret.name, items: source.secret.items };
    }
    if (source.configMap?.name !== undefined) {
      yield { kind: 'configmaps', name: source.configMap.name, items: source.configMap.items };
    }
  }
}

/** Without slashes that say nothing: charts write `/opt/secrets/` and `/opt//secrets`. */
function plain(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 ? normal.replace(/\/$/, '') : normal;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}
