import type { Outcome } from '../../model/outcome.ts';
import { commandName } from '../commandNames.ts';
import type * as commandsEntry from '../allCommands.ts';
import { setContextKey } from '../contextKeys.ts';
import { namingWork } from '../namingWork.ts';
import type { Parts } from '../parts.ts';
import { argumentsOf } from '../questions/selection.ts';
import { showError } from '../showError.ts';

/** Runs commands by their names without `redisCluster.`. */
export interface CommandRuns {
  /**
   * @param argument of a caller, or the row that it was started from
   * @param selected all rows that are selected, where there are several
   */
  readonly run: (name: string, argument: unknown, selected: unknown) => Promise<Outcome>;
  readonly dispose: () => void;
}

/**
 * Runs all contributed commands; whatever one throws becomes its result and a message.
 * @param load their code, which is two thirds of all, on first use
 */
export function commandRuns(parts: Parts, load: () => Promise<typeof commandsEntry>): CommandRuns {
  let loaded: typeof commandsEntry | undefined;
  const fail = async (name: string, argument: unknown, error: unknown): Promise<Outcome> =>
    showError(parts.log, commandName(name) ?? name, await namingWork(parts, argument, error));
  const run = async (name: string, argument: unknown): Promise<Outcome> => {
    try {
      loaded ??= await load();
      const command = loaded.commands[name];
      if (command === undefined) throw new Error(`redisCluster.${name} is contributed and has no code.`);
      await parts.sourcesReady();
      const result = await command(parts, argument);
      // Completes a step of the walkthrough: what was dismissed or refused does not.
      if (result.outcome === 'done') setContextKey(`did.${name}`, true);
      parts.log.info(`${name}: ${result.outcome}. ${result.message}`);
      return result;
    } catch (error) {
      return await fail(name, argument, error);
    }
  };
  /** For several rows the outcome is that of the first that was not done, and the messages of all. */
  const runAll = async (name: string, argument: unknown, selected: unknown): Promise<Outcome> => {
    let all: readonly unknown[];
    try {
      all = argumentsOf(parts, name, argument, selected);
    } catch (error) {
      return await fail(name, argument, error);
    }
    const [first, ...others] = all;
    let result = await run(name, first);
    for (const other of others) {
      const next = await run(name, other);
      const outcome = result.outcome === 'done' ? next.outcome : result.outcome;
      result = { outcome, message: `${result.message} ${next.message}` };
    }
    return result;
  };
  return { run: runAll, dispose: () => loaded?.closeLogs() };
}
