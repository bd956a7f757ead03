import type { KnownNode, NodeView } from '../model/nodeView.ts';
import { subtractSlots, unionSlots } from '../model/slots.ts';

/**
 * Nodes that members list and that did not answer themselves. How they are says the most alarming of several lines, whose
 * and what they are the one with the highest config epoch: a node that joined after another had died knows that one by
 * gossip alone, which brings neither slots nor masters nor epochs.
 */
export function gossipOnly(
  lines: ReadonlySet<KnownNode>,
  alive: ReadonlyMap<string, NodeView>,
): Map<string, KnownNode> {
  const served = unionSlots(...[...alive.values()].map((view) => view.self.slots));
  const listed = new Map<string, KnownNode>();
  for (const line of lines) {
    if (alive.has(line.id) || line.flags.includes('handshake')) continue;
    const before = listed.get(line.id);
    listed.set(line.id, before === undefined ? line : togetherOf(before, line));
  }
  for (const [id, line] of listed) listed.set(id, { ...line, slots: subtractSlots(line.slots, served) });
  return listed;
}

function togetherOf(before: KnownNode, line: KnownNode): KnownNode {
  const informed = line.configEpoch > before.configEpoch ? line : before;
  const { flags, linkState } = alarm(line) > alarm(before) ? line : before;
  return informed.flags === flags ? informed : { ...informed, flags, linkState };
}

function alarm(line: KnownNode): number {
  if (line.flags.includes('fail')) return 3;
  if (line.flags.includes('fail?')) return 2;
  return line.linkState === 'disconnected' ? 1 : 0;
}

/**
 * Nodes that their peers have declared failed. Of one whose address they have lost they could not hear that it is back:
 * that flag says nothing.
 */
export function failedIn(lines: Iterable<KnownNode>): ReadonlySet<string> {
  return new Set(
    [...lines].filter(({ flags }) => flags.includes('fail') && !flags.includes('noaddr')).map(({ id }) => id),
  );
}
