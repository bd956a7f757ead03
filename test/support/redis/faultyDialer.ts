import type { Argument, ClusterDialer, NodeConnection } from '../../../src/redis/nodeConnection.ts';

/** Says what becomes of a command: a value to answer with in the server's place, or undefined to let it through. */
export type Fault = (nodeId: string, command: readonly Argument[]) => unknown;

/** A dialer whose connections a test can make lie; an Error is an error reply. */
export function faultyDialer(dialer: ClusterDialer, fault: Fault): ClusterDialer {
  return {
    credentials: dialer.credentials,
    dial: async (nodeId) => wrap(await dialer.dial(nodeId), (command) => fault(nodeId, command)),
  };
}

function wrap(real: NodeConnection, fault: (command: readonly Argument[]) => unknown): NodeConnection {
  const many = async (
    commands: readonly (readonly Argument[])[],
    send: (through: readonly (readonly Argument[])[]) => Promise<readonly unknown[]>,
  ): Promise<readonly unknown[]> => {
    const answers = commands.map(fault);
    const replies = [...(await send(commands.filter((_, index) => answers[index] === undefined)))];
    return answers.map((answer) => (answer === undefined ? replies.shift() : answer));
  };
  return {
    call: async (...command) => {
      const answer = fault(command);
      if (answer instanceof Error) throw answer;
      return answer ?? (await real.call(...command));
    },
    callBuffer: (...command) => real.callBuffer(...command),
    pipeline: (commands) => many(commands, (through) => real.pipeline(through)),
    pipelineBuffer: (commands) => many(commands, (through) => real.pipelineBuffer(through)),
    takeOver: () => real.takeOver(),
    close: () => {
      real.close();
    },
  };
}

/**
 * Lets a tool die: from the command on that the test names, no command of any connection reaches a server any more.
 * What was sent before has been done; that is what a killed process leaves behind.
 */
export function dyingDialer(
  dialer: ClusterDialer,
  isLast: (nodeId: string, command: readonly Argument[]) => boolean,
): ClusterDialer {
  let dead = false;
  return faultyDialer(dialer, (nodeId, command) => {
    dead ||= isLast(nodeId, command);
    return dead ? new Error('the tool has died') : undefined;
  });
}

/** A dialer that lets a test do something before a command is sent, and waits for it. */
export function strikingDialer(
  dialer: ClusterDialer,
  beforeCommand: (nodeId: string, command: readonly Argument[]) => Promise<void>,
): ClusterDialer {
  return {
    credentials: dialer.credentials,
    dial: async (id) => {
      const real = await dialer.dial(id);
      return {
        ...real,
        call: async (...command) => {
          await beforeCommand(id, command);
          return await real.call(...command);
        },
        pipeline: async (commands) => {
          for (const command of commands) await beforeCommand(id, command);
          return await real.pipeline(commands);
        },
      };
    },
  };
}
