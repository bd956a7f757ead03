import { createHash } from 'node:crypto';
import { UserError } from '../../model/errors.ts';
import { bytesOf } from '../manifests/answers.ts';
import { isSameAmount, type UpgradeRequest } from './answers.ts';
import type { ContainerFacts, SetFacts, UpgradeFacts } from '../statefulSets/facts.ts';
import { editSettings, isSameValue, needsRestart, settingsIn } from '../settings/settings.ts';

/** On the pods' template: changes when a setting does that servers take only at their start. */
const configAnnotation = 'kubernetes-redis-cluster/settings-at-start';

/** As `kubectl rollout restart` marks a template, so that either finds the other's mark. */
const restartAnnotation = 'kubectl.kubernetes.io/restartedAt';

/** What becomes different in the template of a StatefulSet's pods. */
export interface TemplateChange {
  readonly images: readonly { readonly container: string; readonly from: string; readonly to: string }[];
  readonly memory?: { readonly container: string; readonly to: string };
  /** A mark that changes when a setting does that servers take only at their start. */
  readonly settingsAtStart?: string;
  /** As an ISO 8601 time, where every pod is to be restarted though nothing else is different. */
  readonly restartedAt?: string;
}

/** What has to be changed in Kubernetes and on the servers; empty parts are as they should be already. */
export interface Difference {
  /** What the pods are made of; undefined where nothing of it differs. */
  readonly template: TemplateChange | undefined;
  readonly image: { readonly from: string; readonly to: string } | undefined;
  readonly memory: { readonly from: string | undefined; readonly to: string } | undefined;
  /** Settings to make on the running servers, whatever the file says already. */
  readonly live: Readonly<Record<string, string>>;
  /** Settings that take effect when a pod starts. */
  readonly atStart: Readonly<Record<string, string>>;
  /** The whole new text of redis.conf; undefined where it says all of it already. */
  readonly redisConf: string | undefined;
  /** What each volume is to hold; undefined where all have it already. */
  readonly storage: string | undefined;
}

/** @param server the name of the container that runs the server */
export function differenceOf(
  { set, pods, redisConf, claims }: UpgradeFacts,
  { image, memory, storage, config = {}, restartedAt }: UpgradeRequest,
  server: string,
): Difference {
  const now = containerNamed(set, server);
  const edited = redisConf === undefined ? undefined : editedConf(redisConf, config);
  const named = (atStart: boolean): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(config).filter(([name]) => needsRestart(name) === atStart));
  const newImage = image !== now.image ? image : undefined;
  const newMemory = isSameAmount(memory, now.memory) ? undefined : memory;
  const atStart = named(true);
  const mark = Object.keys(atStart).length > 0 ? changedMark(set, edited ?? '') : undefined;
  // One that was begun is gone on with: those that are new already are not started once more.
  const isRestart = pods.every((pod) => pod.revision === set.revision);
  return {
    template: changedTemplate({
      images: changedImages(set, now, newImage),
      memory: newMemory === undefined ? undefined : { container: now.name, to: newMemory },
      settingsAtStart: mark,
      restartedAt: isRestart ? restartedAt : undefined,
    }),
    image: newImage === undefined ? undefined : { from: now.image, to: newImage },
    memory: newMemory === undefined ? undefined : { from: now.memory, to: newMemory },
    live: named(false),
    atStart,
    redisConf: edited === redisConf ? undefined : edited,
    storage: storage !== undefined && isStorageDue(set, claims, storage) ? storage : undefined,
  };
}

/** Only what differs; undefined where nothing does. */
function changedTemplate({
  images,
  memory,
  settingsAtStart,
  restartedAt,
}: {
  readonly [P in keyof TemplateChange]-?: TemplateChange[P] | undefined;
}): TemplateChange | undefined {
  const change = {
    images: images ?? [],
    ...(memory === undefined ? {} : { memory }),
    ...(settingsAtStart === undefined ? {} : { settingsAtStart }),
    ...(restartedAt === undefined ? {} : { restartedAt }),
  };
  return change.images.length === 0 && Object.keys(change).length === 1 ? undefined : change;
}

/** The annotations that a change puts on the pods' template. */
export function marks({
  settingsAtStart,
  restartedAt,
}: Omit<TemplateChange, 'images'>): Readonly<Record<string, string>> {
  return {
    ...(settingsAtStart === undefined ? {} : { [configAnnotation]: settingsAtStart }),
    ...(restartedAt === undefined ? {} : { [restartAnnotation]: restartedAt }),
  };
}

/** The change as a strategic merge patch takes it. */
export function templatePatch(change: TemplateChange): Readonly<Record<string, unknown>> {
  const { images, memory } = change;
  const annotations = marks(change);
  const names = new Set([
    ...images.map(({ container }) => container),
    ...(memory === undefined ? [] : [memory.container]),
  ]);
  const containers = [...names].map((name) => {
    const image = images.find(({ container }) => container === name)?.to;
    const limit = memory?.container === name ? { memory: memory.to } : undefined;
    return {
      name,
      ...(image === undefined ? {} : { image }),
      ...(limit === undefined ? {} : { resources: { requests: limit, limits: limit } }),
    };
  });
  return {
    ...(Object.keys(annotations).length === 0 ? {} : { metadata: { annotations } }),
    ...(containers.length === 0 ? {} : { spec: { containers } }),
  };
}

function containerNamed(set: SetFacts, name: string): ContainerFacts {
  const found = set.containers.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new UserError(
    'unsafe',
    `StatefulSet ${set.name} has no container ${name}, in which the servers of its pods run. Nothing was changed.`,
  );
}

/** Only what differs is written, so that a file that says `16mb` is not changed to say 16777216. */
function editedConf(text: string, config: Readonly<Record<string, string>>): string {
  const written = settingsIn(text);
  const changed = Object.entries(config).filter(([name, value]) => {
    const values = written.get(name) ?? [];
    return values.length !== 1 || !isSameValue(values[0] ?? '', value);
  });
  return changed.length === 0 ? text : editSettings(text, Object.fromEntries(changed));
}

function changedMark(set: SetFacts, text: string): string | undefined {
  const lines = [...settingsIn(text)].filter(([name]) => needsRestart(name)).sort();
  const mark = createHash('sha256').update(JSON.stringify(lines)).digest('hex').slice(0, 16);
  return set.podAnnotations[configAnnotation] === mark ? undefined : mark;
}

/** The image goes into every container that runs the same one now: the agent's redis-cli goes with its server. */
function changedImages(set: SetFacts, now: ContainerFacts, to: string | undefined): TemplateChange['images'] {
  if (to === undefined) return [];
  const same = set.containers.filter(({ image }) => image === now.image);
  return same.map(({ name, image: from }) => ({ container: name, from, to }));
}

function isStorageDue(set: SetFacts, claims: UpgradeFacts['claims'], storage: string): boolean {
  const sizes = [...set.claimTemplates.map((one) => one.storage), ...claims.map((one) => one.requested)];
  return sizes.some((size) => bytesOf(size) !== bytesOf(storage));
}
