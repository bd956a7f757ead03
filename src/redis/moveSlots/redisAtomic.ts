import { messageOf, UserError } from '../../model/errors.ts';
import { formatSlots, intersectSlots, type SlotSet } from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { pause } from '../../model/pause.ts';
import {
  parseTaskSlots,
  taskFields,
  taskSlots,
  type AtomicWay,
  type Task,
  type TaskState,
} from './atomicMove.ts';
import { nameIn, type MoveRequest } from './request.ts';

/** A server takes part in one task at a time; how long its turn is waited for, in milliseconds. */
const turnMs = 60_000;

/**
 * Redis 8.4: the target imports the slots by a task of its own (CLUSTER MIGRATION IMPORT), which it repeats for ever
 * where it fails, so `failed` is no end until it is cancelled there.
 */
export function redisAtomic(request: MoveRequest, target: NodeConnection): AtomicWay {
  return {
    underWay: async () => (await imports(target)).map(({ slots }) => slots),
    begin: async (slots) => {
      const deadline = Date.now() + turnMs;
      for (;;) {
        const known = await joinable(request, target, slots);
        if (known !== undefined) return taskOf(target, known);
        try {
          const id = await target.call('CLUSTER', 'MIGRATION', 'IMPORT', ...slots.flat());
          return taskOf(target, String(id));
        } catch (error) {
          const isBusy = messageOf(error).includes('another ASM task is already in progress');
          if (!isBusy || Date.now() > deadline || request.signal.aborted) throw error;
          await pause(200);
        }
      }
    },
  };
}

interface Import {
  readonly id: string;
  readonly slots: SlotSet;
}

/** The target's imports that have not ended. */
async function imports(target: NodeConnection): Promise<readonly Import[]> {
  const all = await target.call('CLUSTER', 'MIGRATION', 'STATUS', 'ALL');
  return (Array.isArray(all) ? all : [])
    .map(taskFields)
    .filter((fields) => fields.get('operation') === 'import')
    .filter((fields) => !/^(?:completed|canceled)$/.test(fields.get('state') ?? ''))
    .map((fields) => ({ id: fields.get('id') ?? '', slots: parseTaskSlots(fields.get('slots') ?? '') }));
}

/** The id of the task by which the target imports just these slots. Throws UserError where it imports only some. */
async function joinable(
  request: MoveRequest,
  target: NodeConnection,
  slots: SlotSet,
): Promise<string | undefined> {
  const other = (await imports(target)).find((task) => intersectSlots(task.slots, slots).length > 0);
  if (other === undefined || taskSlots(other.slots) === taskSlots(slots)) return other?.id;
  throw new UserError(
    'busy',
    `${nameIn(request, request.to)} is importing slots ${formatSlots(other.slots)} already. Wait until that migration ends, or cancel it there with CLUSTER MIGRATION CANCEL ID ${other.id}.`,
  );
}

function taskOf(target: NodeConnection, id: string): Task {
  return {
    state: async () => stateOf(await target.call('CLUSTER', 'MIGRATION', 'STATUS', 'ID', id)),
    cancel: async () => {
      await target.call('CLUSTER', 'MIGRATION', 'CANCEL', 'ID', id);
    },
  };
}

function stateOf(reply: unknown): TaskState {
  const fields = taskFields(Array.isArray(reply) ? reply[0] : undefined);
  const state = fields.get('state');
  if (state === undefined) {
    return { kind: 'failed', message: 'the target has forgotten the task', lasting: true };
  }
  if (state === 'completed') return { kind: 'done' };
  if (state === 'canceled') return { kind: 'cancelled' };
  const error = fields.get('last_error') ?? '';
  if (state === 'failed' || (error !== '' && Number(fields.get('retries')) > 0)) {
    return { kind: 'failed', message: error === '' ? 'no reason given' : error, lasting: false };
  }
  return { kind: 'running' };
}
