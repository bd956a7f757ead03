import { hangUp } from './dialer.ts';
import { kill, restart } from './failover.ts';
import { note, type Fault, type Run, type Tool } from './runState.ts';

/** How many events pass at the most while the tool's machine is frozen, and how long it takes by its clock. */
const frozenEvents = 60;
const frozenMs = 600_000;

/** Lets a fault happen that is due; returns whether one was. */
export function inject(run: Run, tool: Tool): boolean {
  const [fault] = run.due;
  if (fault === undefined || fault.at > run.events) return false;
  run.due.shift();
  run.injected++;
  note(run, 1_000_000 + fault.kind.length * 100 + (fault.node ?? 0));
  run.trace?.push(`*** ${fault.kind} ${fault.node ?? ''}`);
  if (fault.kind === 'kill' || fault.kind === 'restart') strikeNode(run, tool, fault);
  else strikeTool(run, tool, fault.kind);
  return true;
}

function strikeTool(run: Run, tool: Tool, kind: Exclude<Fault['kind'], 'kill' | 'restart'>): void {
  switch (kind) {
    case 'crash':
    case 'crashArriving':
      tool.die(kind === 'crashArriving');
      tool.state = 'dead';
      run.orphans.push(...tool.lines.filter(({ queue }) => queue.length > 0));
      return;
    case 'freeze':
      tool.inbox.frozen = true;
      run.frozenUntil = run.events + frozenEvents;
      return;
    case 'cut':
      tool.cut();
      return;
    case 'cancel':
      tool.cancel();
  }
}

function strikeNode(run: Run, tool: Tool | undefined, fault: Fault): void {
  const node = run.world.nodes[fault.node ?? -1];
  if (fault.kind === 'restart' && node?.alive === false) restart(run.world, node);
  if (fault.kind !== 'kill' || node?.alive !== true) return;
  kill(run.world, node);
  const lines = [...(tool?.lines ?? []), ...run.orphans];
  run.world.answeredFirst = lines.flatMap(({ queue }) => queue.map((sent) => () => !queue.includes(sent)));
  for (const line of lines) if (line.node === node) hangUp(line);
}

/** Servers whose time to come back never came in the operation's own time come back now. */
export function injectRest(run: Run): void {
  for (const fault of run.due.splice(0)) if (fault.kind === 'restart') strikeNode(run, undefined, fault);
}

/** The machine goes on after a long time, as its clock tells it, and finds what has arrived meanwhile. */
export function thaw({ tool, world }: Run): void {
  if (tool?.inbox.frozen !== true) return;
  tool.inbox.frozen = false;
  world.clock.advance(frozenMs);
  for (const message of tool.inbox.waiting.splice(0)) message();
}
