import { UserError } from '../../model/errors.ts';
import { readKustomization } from './kustomize.ts';

/** The image that the manifests themselves name: the version that the tests run. */
export function defaultImage(files: ReadonlyMap<string, string>): string {
  for (const { kind, spec } of readKustomization(files, '')) {
    if (kind !== 'StatefulSet') continue;
    const { template } = spec as {
      readonly template: { readonly spec: { readonly containers: readonly { image: string }[] } };
    };
    const image = template.spec.containers[0]?.image;
    if (image !== undefined) return image;
  }
  throw new UserError('failed', 'The bundled manifests name no image. Install the extension again.');
}
