import { UserError } from '../../model/errors.ts';
import { formatSlots, intersectSlots, type SlotSet } from '../../model/slots.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import {
  parseTaskSlots,
  taskFields,
  taskSlots,
  type AtomicWay,
  type Task,
  type TaskState,
} from './atomicMove.ts';
import { nameIn, type MoveRequest } from './request.ts';

/**
 * Valkey 9.0: the source hands the slots over by a job of its own (CLUSTER MIGRATESLOTS), which it does not repeat
 * where it fails.
 */
export function valkeyAtomic(request: MoveRequest, source: NodeConnection): AtomicWay {
  return {
    underWay: async () =>
      (await runningJobs(source)).filter(({ to }) => to === request.to).map(({ slots }) => slots),
    begin: async (slots) => {
      const known = await joinable(request, source, slots);
      if (known !== undefined) return jobOf(source, known);
      const ranges = slots.flat();
      await source.call('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', ...ranges, 'NODE', request.to);
      // The reply names no job; the newest of the log with these slots and this target is ours.
      const isOurs = (job: Job): boolean =>
        job.to === request.to && taskSlots(job.slots) === taskSlots(slots);
      const name = (await exports(source)).find(isOurs)?.name;
      if (name !== undefined) return jobOf(source, name);
      throw new UserError('failed', 'The source does not list the migration it has begun.');
    },
  };
}

interface Job {
  readonly name: string;
  readonly slots: SlotSet;
  readonly to: string;
  readonly state: string;
  readonly message: string;
}

/** What the source hands over or has handed over; newest first. */
async function exports(source: NodeConnection): Promise<readonly Job[]> {
  const all = await source.call('CLUSTER', 'GETSLOTMIGRATIONS');
  return (Array.isArray(all) ? all : [])
    .map(taskFields)
    .filter((fields) => fields.get('operation') === 'EXPORT')
    .map((fields) => ({
      name: fields.get('name') ?? '',
      slots: parseTaskSlots(fields.get('slot_ranges') ?? ''),
      to: fields.get('target_node') ?? '',
      state: fields.get('state') ?? '',
      message: (fields.get('message') ?? '').trim(),
    }));
}

async function runningJobs(source: NodeConnection): Promise<readonly Job[]> {
  return (await exports(source)).filter((job) => stateOf(job).kind === 'running');
}

/** The name of the job that hands just these slots to the target. Throws UserError where another one has some. */
async function joinable(
  request: MoveRequest,
  source: NodeConnection,
  slots: SlotSet,
): Promise<string | undefined> {
  const other = (await runningJobs(source)).find((job) => intersectSlots(job.slots, slots).length > 0);
  if (other === undefined) return undefined;
  if (other.to === request.to && taskSlots(other.slots) === taskSlots(slots)) return other.name;
  throw new UserError(
    'busy',
    `${nameIn(request, request.from)} is migrating slots ${formatSlots(other.slots)} already. Wait until that migration ends, or cancel it there with CLUSTER CANCELSLOTMIGRATIONS.`,
  );
}

function jobOf(source: NodeConnection, name: string): Task {
  const state = async (): Promise<TaskState> =>
    stateOf((await exports(source)).find((job) => job.name === name));
  return {
    state,
    cancel: async () => {
      // The server can cancel only all of its jobs, so nothing is cancelled on behalf of one that has ended.
      if ((await state()).kind === 'running') await source.call('CLUSTER', 'CANCELSLOTMIGRATIONS');
    },
  };
}

function stateOf(job: Job | undefined): TaskState {
  if (job === undefined) return { kind: 'failed', message: 'the source has forgotten it', lasting: true };
  if (job.state === 'success') return { kind: 'done' };
  if (job.state === 'cancelled') return { kind: 'cancelled' };
  if (job.state !== 'failed') return { kind: 'running' };
  const isAuth = /NOAUTH|NOPERM|WRONGPASS/.test(job.message);
  const advice = isAuth ? ' (the source signs in there with its primaryuser and primaryauth)' : '';
  return { kind: 'failed', message: `${job.message}${advice}`, lasting: isAuth };
}
