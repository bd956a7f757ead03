import { posix } from 'node:path';

import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';
import { changeImages, type ImageChange } from './imageChange.ts';
import { applyPatch, type Patch } from './patch.ts';
import { readYaml } from './readYaml.ts';

/** The parts of a kustomization that the manifests use. https://kubectl.docs.kubernetes.io/references/kustomize/ */
interface Kustomization {
  readonly kind?: string;
  /** Files, or folders with a kustomization of their own. */
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly configMapGenerator?: readonly ConfigMapGenerator[];
  readonly generatorOptions?: GeneratorOptions;
  readonly patches?: readonly Patch[];
  readonly images?: readonly ImageChange[];
}

interface ConfigMapGenerator {
  readonly name: string;
  /** Paths; the key is the file's name. */
  readonly files?: readonly string[];
}

interface GeneratorOptions {
  readonly disableNameSuffixHash?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

const understood: Readonly<Record<string, readonly string[]>> = {
  kustomization: [
    'apiVersion',
    'kind',
    'resources',
    'components',
    'configMapGenerator',
    'generatorOptions',
    'patches',
    'images',
  ],
  configMapGenerator: ['name', 'files'],
  generatorOptions: ['disableNameSuffixHash', 'labels'],
};

/**
 * The objects that `kubectl kustomize` makes of a folder and components on top of it. Throws where a kustomization
 * asks for more than is understood here, so that what is deployed never differs in silence from what is written.
 * @param files the files of manifests/, by their paths in it
 */
export function readKustomization(
  files: ReadonlyMap<string, string>,
  folder: string,
  components: readonly string[] = [],
): readonly KubernetesObject[] {
  const objects = readFolder(files, folder, []);
  return components.reduce((sofar, component) => readFolder(files, component, sofar), objects);
}

/** A component works on the objects that are there; any other kustomization only on its own. */
function readFolder(
  files: ReadonlyMap<string, string>,
  folder: string,
  before: readonly KubernetesObject[],
): readonly KubernetesObject[] {
  const path = posix.join(folder, 'kustomization.yaml');
  const read = readYaml(textOf(files, path))[0] as Kustomization;
  checkFields(path, 'kustomization', read);
  const resources = (read.resources ?? []).flatMap((entry) => readResource(files, posix.join(folder, entry)));
  let objects = [...(read.kind === 'Component' ? before : []), ...resources];
  for (const component of read.components ?? [])
    objects = [...readFolder(files, posix.join(folder, component), objects)];
  const options = read.generatorOptions ?? {};
  checkFields(path, 'generatorOptions', options);
  for (const generator of read.configMapGenerator ?? []) {
    checkFields(path, 'configMapGenerator', generator);
    if (options.disableNameSuffixHash !== true)
      throw new Error(`${path}: a ConfigMap whose name ends in a hash is not understood`);
    objects.push(configMap(files, folder, generator, options));
  }
  for (const patch of read.patches ?? []) {
    const text = patch.path === undefined ? patch.patch : textOf(files, posix.join(folder, patch.path));
    objects = applyPatch(path, objects, text ?? '', patch);
  }
  return changeImages(objects, read.images ?? []);
}

function readResource(files: ReadonlyMap<string, string>, path: string): readonly KubernetesObject[] {
  if (!path.endsWith('.yaml')) return readFolder(files, path, []);
  return readYaml(textOf(files, path)) as readonly KubernetesObject[];
}

function checkFields(path: string, where: string, value: object): void {
  const unknown = Object.keys(value).find((field) => understood[where]?.includes(field) !== true);
  if (unknown !== undefined) throw new Error(`${path}: "${unknown}" in ${where} is not understood`);
}

function configMap(
  files: ReadonlyMap<string, string>,
  folder: string,
  { name, files: paths = [] }: ConfigMapGenerator,
  { labels = {} }: GeneratorOptions,
): KubernetesObject {
  const data = Object.fromEntries(
    paths.map((path) => [posix.basename(path), textOf(files, posix.join(folder, path))]),
  );
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data };
}

function textOf(files: ReadonlyMap<string, string>, path: string): string {
  const text = files.get(path);
  if (text === undefined) throw new Error(`the manifests have no file ${path}`);
  return text;
}
