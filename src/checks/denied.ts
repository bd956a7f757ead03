import { nodeName } from '../model/shards.ts';
import { shortList } from '../model/unread.ts';
import type { Rule } from './rule.ts';

/** Commands of a reading that servers deny: what these report is unknown, and nothing is changed on a guess. */
export const denied: Rule = ({ nodes }) => {
  const asked = nodes.flatMap(({ view }) => view?.denied ?? []);
  if (asked.length === 0) return [];
  const denying = nodes.filter(({ view }) => view?.denied !== undefined);
  const where = denying.length === nodes.length ? 'all nodes' : shortList(denying.map(nodeName));
  const commands = [...new Set(asked.map(({ command }) => command))];
  const unknown = [...new Set(asked.map(({ says }) => says))];
  return [
    {
      rule: 'denied',
      severity: 'warning',
      message: `Denied on ${where}: ${commands.join(', ')}. Unknown: ${unknown.join(', ')}.`,
      evidence: [...new Set(asked.map(({ command, reply }) => `${command}: ${reply}`))],
      remedy: `Allow the user to run ${commands.join(' and ')}, or sign in as another user with “Sign In…”. Until then nothing can be changed here. A renamed command cannot be used.`,
      nodeIds: denying.map(({ id }) => id),
    },
  ];
};
