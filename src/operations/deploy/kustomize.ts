import { parse, parseAllDocuments } from 'yaml';

import type { KubernetesObject } from '../../kubernetes/kubernetesAccess.ts';

/** The parts of a kustomization that the manifests use. https://kubectl.docs.kubernetes.io/references/kustomize/ */
interface Kustomization {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly resources?: readonly string[];
  readonly configMapGenerator?: readonly ConfigMapGenerator[];
  readonly generatorOptions?: GeneratorOptions;
}

interface ConfigMapGenerator {
  readonly name: string;
  /** `path` or `key=path`. */
  readonly files?: readonly string[];
  readonly options?: GeneratorOptions;
}

interface GeneratorOptions {
  readonly disableNameSuffixHash?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

const understood = new Set(['apiVersion', 'kind', 'resources', 'configMapGenerator', 'generatorOptions']);

/**
 * The objects that `kubectl apply -k` would make of a kustomization's files, by their paths beside it. Generated
 * ConfigMaps keep their plain names. Throws where the kustomization asks for more than is understood here.
 */
export function readKustomization(files: ReadonlyMap<string, string>): readonly KubernetesObject[] {
  const kustomization = parse(textOf(files, 'kustomization.yaml')) as Kustomization;
  const unknown = Object.keys(kustomization).find((field) => !understood.has(field));
  if (unknown !== undefined) throw new Error(`kustomization.yaml: "${unknown}" is not understood`);
  const resources = (kustomization.resources ?? []).flatMap((path) =>
    parseAllDocuments(textOf(files, path)).map((document) => document.toJS() as KubernetesObject),
  );
  const generated = (kustomization.configMapGenerator ?? []).map((generator) =>
    configMap(files, generator, kustomization.generatorOptions?.labels),
  );
  return [...generated, ...resources];
}

function configMap(
  files: ReadonlyMap<string, string>,
  { name, files: paths = [], options }: ConfigMapGenerator,
  commonLabels: Readonly<Record<string, string>> = {},
): KubernetesObject {
  const data = Object.fromEntries(
    paths.map((entry) => {
      const [first = '', second] = entry.split('=');
      const path = second ?? first;
      const key = second === undefined ? (path.split('/').at(-1) ?? path) : first;
      return [key, textOf(files, path)];
    }),
  );
  const labels = { ...commonLabels, ...options?.labels };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data };
}

function textOf(files: ReadonlyMap<string, string>, path: string): string {
  const text = files.get(path.replace(/^\.\//, ''));
  if (text === undefined) throw new Error(`the manifests have no file ${path}`);
  return text;
}
