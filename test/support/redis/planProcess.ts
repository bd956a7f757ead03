// A process that runs a plan and is killed at a given point of it; the request comes as a line on standard input.
import { createInterface } from 'node:readline';
import type { Plan } from '../../../src/operations/plans/plan.ts';
import { runPlan, type StepObserver } from '../../../src/operations/run/runPlan.ts';
import { faultyDialer } from './faultyDialer.ts';
import { changes, dialerTo, portsTo, type Boundary, type Server } from './faultTools.ts';

export interface PlanRequest {
  readonly servers: readonly Server[];
  readonly plan: Plan;
  readonly dieAt: Boundary;
}

const { value: line } = await createInterface(process.stdin)[Symbol.asyncIterator]().next();
const { servers, plan, dieAt } = JSON.parse(String(line)) as PlanRequest;

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

let sent = 0;
const dialer = faultyDialer(dialerTo(servers), (_, command) => {
  if (changes(command) && ++sent === dieAt.command) die();
  return undefined;
});
const observer: StepObserver = {
  begun: (index) => {
    if (index === dieAt.begun) die();
    return Promise.resolve();
  },
  ended: (index) => {
    if (index === dieAt.ended) die();
    return Promise.resolve();
  },
};
const cluster = { addresses: servers.map(({ host, port }) => `${host}:${port}`), nodes: servers, dialer };
await runPlan(plan, { ...portsTo(cluster), observer });
process.exit(0);
