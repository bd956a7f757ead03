import { formatAddress } from '../../model/clusterRef.ts';
import { quantity } from '../../model/quantity.ts';
import type { Step } from '../../model/plan.ts';
import { formatSlots } from '../../model/slots.ts';
import { slotsText } from '../../model/shards.ts';

/**
 * Says what a step does from its data alone: what a file says about a step is nobody's word to confirm by.
 * @param nameOf how people call a node
 */
export function stepText(step: Step, nameOf: (id: string) => string): string {
  switch (step.kind) {
    case 'moveSlots': {
      const to = step.pod ?? nameOf(step.to);
      return `Move ${slotsText(step.slots)} (${formatSlots(step.slots)}) from ${nameOf(step.from)} to ${to}`;
    }
    case 'promote':
      return `Promote ${nameOf(step.node)} to master (${step.how})${presumed(step.dead, nameOf)}`;
    case 'replicate':
      return `Make ${step.pod ?? nameOf(step.node)} a replica of ${step.masterPod ?? nameOf(step.master)}`;
    case 'meet':
      return `Tell the nodes that ${nameOf(step.node)} is at ${formatAddress(step)}`;
    case 'introduce':
      return `Introduce ${step.servers.map((server) => `${nameOf(server.node)} at ${formatAddress(server)}`).join(', ')} to each other`;
    case 'formShard':
      return `Give ${nameOf(step.node)} ${slotsText(step.slots)} (${formatSlots(step.slots)}) and the replicas ${step.replicas.map(nameOf).join(', ') || 'none'}`;
    case 'forget':
      return `Make every node forget ${nameOf(step.node)}`;
    case 'resetNode':
      return `Reset ${nameOf(step.node)}, which has no slots and no keys`;
    default:
      return dataText(step, nameOf);
  }
}

function presumed(dead: readonly string[] | undefined, nameOf: (id: string) => string): string {
  return dead === undefined ? '' : `; confirmed as dead by a person: ${dead.map(nameOf).join(', ')} are dead`;
}

/** Of what nodes hold and are set to, while their roles stay. */
function dataText(step: Step, nameOf: (id: string) => string): string {
  const list = (ids: readonly string[]): string => ids.map(nameOf).join(', ');
  switch (step.kind) {
    case 'copyFunctions':
      return `Copy functions from ${nameOf(step.from)} to ${step.pod ?? nameOf(step.to)}`;
    case 'setConfig':
      return `Set ${step.name} to "${step.value}" (before: "${step.before}") on ${list(step.nodes)}`;
    case 'flush':
      return `Delete all keys on ${list(step.nodes)}`;
    case 'assignSlots':
      return `${nameOf(step.node)} takes ${slotsText(step.slots)} (${formatSlots(step.slots)}), which no master serves${presumed(step.dead, nameOf)}`;
    case 'correctImports':
      return `Have ${nameOf(step.node)} import ${slotsText(step.slots)} (${formatSlots(step.slots)}) from ${nameOf(step.owner)}, which owns them`;
    case 'bringKeys':
      return `Move the keys of ${slotsText(step.slots)} (${formatSlots(step.slots)}) from ${nameOf(step.from)} to ${nameOf(step.to)}, and close the slots on ${nameOf(step.from)}`;
    case 'closeSlots':
      return `Close ${slotsText(step.slots)} (${formatSlots(step.slots)}) on ${nameOf(step.node)} and its replicas`;
    default:
      return kubernetesText(step);
  }
}

function kubernetesText(step: Step): string {
  switch (step.kind) {
    case 'setReplicas':
      return `Set the replicas of StatefulSet ${step.workload} to ${step.pods}`;
    case 'waitForPods':
      return `Wait for ${quantity(step.pods, 'pod')} to be ready`;
    case 'replacePod':
      return `Delete the terminated pod ${step.pod} (uid ${step.uid})${step.isRecreated ? ' and wait for the new one' : ''}`;
    case 'emptyMaster':
      return `Join as empty masters: ${step.pods.join(', ')}`;
    case 'keepSetting':
      return `Keep ${step.name} "${step.value}" in redis.conf of ConfigMap ${step.configMap}`;
    case 'deleteVolumes':
      return `Delete the volumes ${step.claims.join(', ')}`;
    default:
      return step.text;
  }
}

/** What is gone for ever after a step; undefined where nothing is. */
export function stepLoss(step: Step, nameOf: (id: string) => string): string | undefined {
  switch (step.kind) {
    case 'flush':
      return `All keys on ${step.nodes.map(nameOf).join(', ')} are permanently deleted.`;
    case 'assignSlots':
      return `Keys in slots ${formatSlots(step.slots)} that are only on servers that do not answer are lost.`;
    case 'deleteVolumes':
      return `Everything on the volumes ${step.claims.join(', ')} is permanently deleted.`;
    case 'promote':
      return step.how === 'handOver'
        ? undefined
        : `Writes that have not reached ${nameOf(step.node)} from its master are lost.`;
    default:
      return undefined;
  }
}
