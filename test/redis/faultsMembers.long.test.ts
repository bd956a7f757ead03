import { boundariesOf } from '../support/redis/faultTools.ts';
import { repeatables } from '../support/redis/repeatable.ts';
import { injectToolFaults } from '../support/redis/toolFaults.ts';

const { fix, forget, 'heal, nodes apart': apart, 'heal, a move half done': halfDone } = repeatables;
injectToolFaults({
  operations: { fix, forget, 'heal, nodes apart': apart, 'heal, a move half done': halfDone },
  boundaries: (steps, commands) => boundariesOf(steps, commands, 4),
  unreached: 2,
  cuts: 4,
  keys: 10_000,
});
