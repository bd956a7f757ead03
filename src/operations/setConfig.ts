import type { SetConfigFacts, SetConfigRequest } from './settings/facts.ts';
import type { Plan } from './plans/plan.ts';
import { lossesOf, makeStep, type Step } from './steps/index.ts';
import { nodeName } from '../model/shards.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import { answers, memberOf, nameOf, namesIn, refusal, refuseUnread } from './servers/nodes.ts';
import { checkSettings, isSameValue, needsRestart, settingsIn, valueText } from './settings/settings.ts';
import { refuseDuplicates } from './refusals/refuseDuplicates.ts';

/** Throws a UserError where it is no setting for this way, or all have that value already. */
export function planSetConfig(
  snapshot: ClusterSnapshot,
  request: SetConfigRequest,
  facts: SetConfigFacts,
): Plan {
  refuseUnread(snapshot);
  refuseDuplicates(snapshot);
  const { name, value, node } = request;
  checkName(snapshot, name, value);
  const nodes = node === undefined ? snapshot.nodes.filter(answers) : [memberOf(snapshot, node)];
  const steps = [
    ...onServers(
      snapshot,
      request,
      new Map(nodes.flatMap(({ id }) => valueOf(facts, id).map((before) => [id, before] as const))),
    ),
    ...(node === undefined ? inConfigMap(request, facts) : []),
  ];
  if (steps.length === 0)
    throw refusal('nothing-to-do', `${name} is ${valueText(value)} already on every server.`);
  const silent = snapshot.nodes.filter((one) => !answers(one));
  return {
    title: `Set ${name} to ${valueText(value)} on ${node === undefined ? snapshot.name : nameOf(snapshot, node)}`,
    ref: snapshot.ref,
    operation: 'setConfig',
    request,
    steps,
    warnings: [
      ...(node === undefined
        ? silent.map((one) => `${nodeName(one)} does not answer and is left unchanged.`)
        : []),
      ...(node === undefined && facts.kept !== undefined
        ? []
        : ['It does not survive a restart: servers then read their own configuration file.']),
    ],
    losses: lossesOf(steps, namesIn(snapshot)),
  };
}

/** Where the manifests are not ours, nothing follows from the memory limit. */
function checkName({ workloads }: ClusterSnapshot, name: string, value: string): void {
  const isOurs = workloads.some(({ bundled }) => bundled);
  if (isOurs || name !== 'maxmemory') checkSettings({ [name]: value });
  if (!needsRestart(name)) return;
  throw refusal(
    'invalid-input',
    `Servers read ${name} only when they start. “Upgrade Image or Configuration…” restarts them one by one.`,
  );
}

function valueOf({ values }: SetConfigFacts, id: string): readonly string[] {
  const value = values.get(id);
  return value === undefined ? [] : [value];
}

/** One step for each present value, so that each says what to go back to. */
function onServers(
  snapshot: ClusterSnapshot,
  { name, value }: SetConfigRequest,
  values: ReadonlyMap<string, string>,
): readonly Step[] {
  const other = [...values].filter(([, before]) => !isSameValue(value, before));
  return [...Map.groupBy(other, ([, before]) => before)].map(([before, those]): Step => {
    const nodes = those.map(([id]) => id);
    return makeStep('setConfig', { nodes, name, value, before }, namesIn(snapshot));
  });
}

function inConfigMap({ name, value }: SetConfigRequest, { kept }: SetConfigFacts): readonly Step[] {
  if (kept === undefined) return [];
  const written = settingsIn(kept.redisConf).get(name);
  if (written?.length === 1 && isSameValue(written[0] ?? '', value)) return [];
  const { configMap } = kept;
  return [makeStep('keepSetting', { configMap, name, value }, String)];
}
