import { UserError } from '../../model/errors.ts';
import { bytesOf, checkImage, checkQuantity } from '../manifests/answers.ts';
import { checkSettings } from '../settings/settings.ts';

/** What a person wants to be different; what is absent stays as it is. */
export interface UpgradeRequest {
  readonly image?: string;
  /** Memory each server may use, a Kubernetes quantity such as `512Mi`. */
  readonly memory?: string;
  /** Size of each pod's volume, a Kubernetes quantity such as `2Gi`. */
  readonly storage?: string;
  /** Settings of redis.conf by name. */
  readonly config?: Readonly<Record<string, string>>;
  /** Restarts every pod though nothing else is different: when it was asked for, as an ISO 8601 time. */
  readonly restartedAt?: string;
}

/** Throws a UserError that says which answer cannot be. */
export function checkRequest({ image, memory, storage, config = {}, restartedAt }: UpgradeRequest): void {
  const asked = [image, memory, storage, restartedAt].filter((one) => one !== undefined).length;
  if (asked + Object.keys(config).length === 0) {
    throw new UserError(
      'invalid-input',
      'Name what to change: image, memory, storage or settings in config. Nothing was changed.',
    );
  }
  if (image !== undefined) checkImage(image);
  if (memory !== undefined) checkQuantity('memory', memory);
  if (storage !== undefined) checkQuantity('storage', storage);
  checkSettings(config);
}

/** Whether two quantities are the same amount: `1Gi` is `1024Mi`. */
export function isSameAmount(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return bytesOf(a) === bytesOf(b);
}
