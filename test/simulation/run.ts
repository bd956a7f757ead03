import { isAbort, UserError } from '../../src/model/errors.ts';
import { newClient, type ClientKey } from './clients.ts';
import { startClock } from './clock.ts';
import { newSwitchboard, type Line } from './dialer.ts';
import { inject, injectRest, thaw } from './faults.ts';
import { restart } from './failover.ts';
import { leftoversIn, violations } from './invariants.ts';
import { seeded, type Random } from './random.ts';
import { note, type Ended, type Interleaving, type Run, type Tool } from './runState.ts';
import { keyIn, put, type Scenario } from './scenario.ts';
import { choose, chooseFairly, kinds, perform, possible, type Stage, type Weights } from './schedule.ts';
import { newWorld, type World } from './world.ts';

const realImmediate = setImmediate;
const longestRun = 6000;
/** Lets the tool's code run until it waits for an answer again. */
function letToolRun(): Promise<void> {
  return new Promise((resolve) => {
    realImmediate(resolve);
  });
}

/**
 * One interleaving from its beginning to the last resumed run: adversarial until the faults are over, then calm, so
 * that the same operation said again has to reach its goal. Returns what was violated.
 */
export async function simulate(interleaving: Interleaving, traced = false): Promise<Ended> {
  const run = begin(interleaving, traced);
  await attempt(run, false);
  const firstEvents = run.events;
  for (let tries = 0; tries < 2 && run.due.length > 0; tries++) {
    wander(run);
    await attempt(run, false);
  }
  injectRest(run);
  for (let tries = 0; tries < 4; tries++) {
    calmDown(run);
    if (run.tool?.state === 'done' && interleaving.scenario.operation.isReached(run.world)) break;
    await attempt(run, true);
  }
  calmDown(run);
  if (run.tool?.state !== 'done')
    run.problems.push(`the operation does not end: ${messageIn(run.tool?.error)}`);
  run.problems.push(...violations(run.world, interleaving.scenario, run.clients));
  const sum = (figure: 'unreplicated' | 'hidden'): number =>
    run.clients.reduce((total, client) => total + client[figure], 0);
  const { events, injected, attempts, hashes, problems, trace = [] } = run;
  return {
    events,
    firstEvents,
    fingerprint: `${hashes[0].toString(36)}.${hashes[1].toString(36)}`,
    faults: injected,
    attempts,
    unreplicated: sum('unreplicated'),
    hidden: sum('hidden'),
    leftovers: leftoversIn(run.world),
    problems,
    trace,
  };
}

function messageIn(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** A run that nothing has happened in yet. */
export function begin(interleaving: Interleaving, traced: boolean): Run {
  const { scenario, seed, faults } = interleaving;
  const world = newWorld(startClock(), scenario.shape);
  world.timeouts = scenario.timeouts;
  const random = seeded(seed);
  const keys = fill(world, scenario);
  const clients = scenario.writes > 0 ? [newClient(world, keys, scenario.writes)] : [];
  const watchers = scenario.writes > 0 ? clients : [newClient(world, keys, 0)];
  const stage: Stage = { world, clients, random, lines: [], oneByOne: seed % 2 === 1 };
  return {
    interleaving,
    world,
    clients: watchers,
    random,
    weights: weightsFor(random),
    stage,
    due: [...faults].sort((a, b) => a.at - b.at),
    tool: undefined,
    orphans: [],
    events: 0,
    frozenUntil: 0,
    injected: 0,
    attempts: 0,
    hashes: [0x811c9dc5, 0x1000193],
    problems: [],
    trace: traced ? [] : undefined,
  };
}

/** Each seed has its own idea of what is fast and what is slow. */
function weightsFor(random: Random): Weights {
  const level = (): number => random.pick([0.15, 1, 4]);
  return Object.fromEntries(
    kinds.map((kind) => [kind, kind === 'timer' ? 0.1 : level()]),
  ) as unknown as Weights;
}

function fill(world: World, { keys, shape, allKeys }: Scenario): ClientKey[] {
  const names: ClientKey[] = [];
  for (const [unit, count] of keys.entries()) {
    for (let number = 0; number < count; number++) {
      const name = keyIn(unit, number);
      // Every third key does not exist yet: its client makes it while its slot moves.
      const version = number % 3 === 2 && allKeys !== true ? 0 : 1;
      names.push({ name, acknowledged: version, attempted: version });
      const owner = shape.masters.findIndex(({ owns }) => owns.includes(unit));
      if (version === 0) continue;
      for (const node of world.nodes) {
        if (node.home === owner) put(node, unit, name, { version, bytes: 64 });
      }
    }
  }
  return names;
}

/** Runs the operation once, until it has ended or its tool is dead. */
export async function attempt(run: Run, calm: boolean): Promise<void> {
  run.attempts++;
  const tool = startTool(run);
  run.tool = tool;
  await letToolRun();
  while (tool.state === 'running') {
    if (run.events > longestRun) {
      run.problems.push('the operation goes on for ever');
      tool.state = 'failed';
      return;
    }
    const wakes = inject(run, tool) || happen(run, calm);
    if (wakes) await letToolRun();
  }
  if (tool.state === 'dead') run.world.clock.clear();
  tool.inbox.frozen = false;
}

function startTool(run: Run): Tool {
  const { scenario } = run.interleaving;
  const switchboard = newSwitchboard(run.world);
  const abort = new AbortController();
  const tool: Tool = {
    lines: switchboard.lines,
    die: switchboard.die,
    cut: switchboard.cut,
    inbox: switchboard.inbox,
    cancel: () => {
      abort.abort();
    },
    state: 'running',
    error: undefined,
  };
  scenario.operation.run(run.world, switchboard.dialer, abort.signal).then(
    () => {
      tool.state = 'done';
    },
    (error: unknown) => {
      tool.state = 'failed';
      tool.error = error;
      if (!(error instanceof UserError) && !isAbort(error))
        run.problems.push(`not for users: ${messageIn(error)}`);
    },
  );
  return tool;
}

/** Lets one event happen; returns whether the tool may have something to do. */
function happen(run: Run, calm: boolean): boolean {
  const { stage, world } = run;
  const lines = [...(run.tool?.lines ?? []), ...run.orphans];
  stage.lines = lines;
  const isFrozen = run.tool?.inbox.frozen === true;
  const events = possible(stage, isFrozen);
  if (isFrozen && (run.events > run.frozenUntil || events.every((members) => members.length === 0))) {
    thaw(run);
    return true;
  }
  const event = calm ? chooseFairly(events, run.events) : choose(events, run.weights, run.random);
  run.events++;
  if (event === undefined) {
    if (run.tool?.state === 'running') {
      run.problems.push('nothing can happen any more, and the operation waits');
      run.tool.state = 'failed';
    }
    return true;
  }
  world.clock.advance(1);
  note(run, event);
  const wakes = perform(stage, event);
  for (const line of stage.lines) if (line.closed && line.queue.length === 0) drop(run, line);
  return wakes;
}

function drop(run: Run, line: Line): void {
  const lines = run.tool?.lines ?? [];
  const index = lines.indexOf(line);
  if (index >= 0) lines.splice(index, 1);
  run.orphans = run.orphans.filter((orphan) => orphan !== line);
}

/** Some time between a failure and the next attempt, in which the servers go on. */
function wander(run: Run): void {
  for (let left = run.random.below(25); left > 0; left--) happen(run, false);
}

/** Brings every server back and lets the cluster settle. */
export function calmDown(run: Run): void {
  settle(run);
  for (const node of run.world.nodes) if (!node.alive) restart(run.world, node);
  settle(run);
}

/** Lets the servers go on among themselves until a few rounds of pings have changed nothing that calls for more. */
function settle(run: Run): void {
  const { stage, world } = run;
  stage.lines = [...run.orphans];
  world.clock.clear();
  for (let rounds = 0; rounds < 4; rounds++) {
    world.nextPing = Math.min(world.nextPing, world.clock.now());
    let left = 200;
    while (left-- > 0 && possible(stage).some((events) => events.length > 0)) happen(run, true);
  }
}
