import { isKubernetesRef } from '../../model/clusterRef.ts';
import type { Plan, Step, StepOf } from '../../model/plan.ts';
import { nodeName } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { shellWord } from '../../model/shellWord.ts';
import {
  countSlots,
  formatSlots,
  lowestSlots,
  subtractSlots,
  unionSlots,
  type SlotSet,
} from '../../model/slots.ts';
import { moveNotes } from '../moveOptions.ts';

/**
 * The plan as commands for a shell, for those who have to do it without this extension. Passwords stand in none of
 * them: redis-cli takes them from REDISCLI_AUTH.
 */
export function redisCliCommands(plan: Plan, snapshot: ClusterSnapshot): string {
  const owned = new Map(snapshot.nodes.map(({ id, slots }) => [id, slots]));
  const lines = plan.steps.flatMap((step) => [
    `# ${step.text.replaceAll(/\s+/g, ' ')}`,
    ...commandsFor(step, snapshot, owned),
  ]);
  const notes = moveNotes(plan.steps).map((note) => `# Not done by redis-cli, do it yourself: ${note}`);
  return `${['set -e', ...notes, ...lines].join('\n')}\n`;
}

function commandsFor(step: Step, snapshot: ClusterSnapshot, owned: Map<string, SlotSet>): readonly string[] {
  const on = (id: string, ...words: readonly string[]): string => cli(snapshot, id, words);
  const others = (id: string): readonly RedisNode[] =>
    snapshot.nodes.filter((node) => node.id !== id && node.view !== undefined);
  switch (step.kind) {
    case 'moveSlots':
      return moveCommands(step, snapshot, owned);
    case 'promote': {
      const how = { handOver: [], force: ['FORCE'], takeover: ['TAKEOVER'] }[step.how];
      return [on(step.node, 'CLUSTER', 'FAILOVER', ...how)];
    }
    case 'replicate':
      return [on(step.node, 'CLUSTER', 'REPLICATE', step.master)];
    case 'meet': {
      const words = ['CLUSTER', 'MEET', step.host, String(step.port), String(step.busPort)];
      return others(step.node).map(({ id }) => on(id, ...words));
    }
    case 'forget':
      return others(step.node).map(({ id }) => on(id, 'CLUSTER', 'FORGET', step.node));
    case 'resetNode':
      return [on(step.node, 'CLUSTER', 'RESET', 'HARD'), on(step.node, 'FLUSHALL')];
    case 'copyFunctions':
      return [
        `${on(step.from, '--raw', 'FUNCTION', 'DUMP')} | head -c -1 | ${on(step.to, '-x', 'FUNCTION', 'RESTORE')}`,
      ];
    case 'setConfig':
      return step.nodes.map((id) => on(id, 'CONFIG', 'SET', step.name, step.value));
    // The epoch first: others believe a claim only if it is newer than that of the one who is lost.
    case 'assignSlots':
      return [
        on(step.node, 'CLUSTER', 'BUMPEPOCH'),
        ...setEach(step, (slot) => on(step.node, 'CLUSTER', 'SETSLOT', slot, 'NODE', step.node)),
      ];
    case 'closeSlots':
      return setEach(step, (slot) => on(step.node, 'CLUSTER', 'SETSLOT', slot, 'STABLE'));
    case 'correctImports':
      return setEach(step, (slot) => on(step.node, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', step.owner));
    case 'bringKeys':
      return [
        '# redis-cli has no command that moves stray keys to the slot owner, so do it by hand: open each slot',
        `# on ${step.from} with CLUSTER SETSLOT <slot> IMPORTING <owner>, MIGRATE each key of CLUSTER GETKEYSINSLOT without`,
        `# REPLACE to ${step.to}, and only when CLUSTER COUNTKEYSINSLOT is 0 close it with CLUSTER SETSLOT <slot> STABLE.`,
      ];
    case 'flush':
      return step.nodes.map((id) => on(id, 'FLUSHALL'));
    default:
      return formingCommands(step, snapshot);
  }
}

function formingCommands(step: Step, snapshot: ClusterSnapshot): readonly string[] {
  const on = (id: string, ...words: readonly string[]): string => cli(snapshot, id, words);
  switch (step.kind) {
    case 'introduce':
      return step.servers.flatMap(({ node }, index) =>
        step.servers
          .slice(index + 1)
          .map(({ host, port, busPort }) => on(node, 'CLUSTER', 'MEET', host, String(port), String(busPort))),
      );
    case 'formShard':
      return [
        on(step.node, 'CLUSTER', 'ADDSLOTSRANGE', ...step.slots.flat().map(String)),
        ...step.replicas.map((id) => on(id, 'CLUSTER', 'REPLICATE', step.node)),
      ];
    default:
      return kubectlFor(step, snapshot);
  }
}

/** redis-cli takes the lowest slots of a source and cannot be told which. */
function moveCommands(
  { from, to, slots }: StepOf<'moveSlots'>,
  snapshot: ClusterSnapshot,
  owned: Map<string, SlotSet>,
): readonly string[] {
  const source = owned.get(from) ?? [];
  const number = countSlots(slots);
  const isLowest = formatSlots(lowestSlots(source, number)) === formatSlots(slots);
  owned.set(from, subtractSlots(source, slots));
  owned.set(to, unionSlots(owned.get(to) ?? [], slots));
  const seed = snapshot.nodes.find(({ id }) => id === from);
  const command = cli(snapshot, from, [
    ...['--cluster', 'reshard', `${seed?.host ?? '127.0.0.1'}:${seed?.port ?? 6379}`, '--cluster-from', from],
    ...['--cluster-to', to, '--cluster-slots', String(number), '--cluster-yes'],
  ]);
  if (isLowest) return [command];
  return [
    '# redis-cli would move the lowest slots of this source instead, so decide yourself:',
    `# ${command}`,
  ];
}

/** A loop over slots, since SETSLOT takes one; the command is quoted already, but for its slot. */
function setEach(
  { slots }: { readonly slots: SlotSet },
  command: (slot: string) => string,
): readonly string[] {
  const one = command('SLOT').replace(' SLOT ', ' "$slot" ');
  return slots.map(([start, end]) => `for slot in $(seq ${start} ${end}); do ${one}; done`);
}

function kubectlFor(step: Step, { ref }: ClusterSnapshot): readonly string[] {
  const kubectl = kubectlOf(ref);
  switch (step.kind) {
    case 'setReplicas':
      return [`${kubectl} scale ${shellWord(`statefulset/${step.workload}`)} --replicas=${step.pods}`];
    case 'waitForPods':
      return step.workload === undefined
        ? []
        : [`${kubectl} rollout status ${shellWord(`statefulset/${step.workload}`)}`];
    case 'replacePod':
      return [`${kubectl} delete pod ${shellWord(step.pod)}`];
    case 'deleteVolumes':
      return [`${kubectl} delete pvc ${step.claims.map(shellWord).join(' ')}`];
    default:
      return ['# No redis-cli or kubectl command does this step.'];
  }
}

function cli(snapshot: ClusterSnapshot, id: string, words: readonly string[]): string {
  const node = snapshot.nodes.find((one) => one.id === id);
  const command = words.map(shellWord).join(' ');
  if (node === undefined) return `# on ${shellWord(id)}: redis-cli ${command}`;
  if (node.pod === undefined) return `redis-cli -h ${shellWord(node.host)} -p ${node.port} ${command}`;
  const { container } = node.pod;
  const terminal = words.includes('-x') ? 'exec -i' : 'exec';
  return `${kubectlOf(snapshot.ref)} ${terminal} ${shellWord(nodeName(node))} -c ${shellWord(container)} -- redis-cli -p ${node.port} ${command}`;
}

function kubectlOf(ref: ClusterSnapshot['ref']): string {
  return isKubernetesRef(ref)
    ? `kubectl --context ${shellWord(ref.context)} -n ${shellWord(ref.namespace)}`
    : 'kubectl';
}
