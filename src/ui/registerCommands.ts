import * as vscode from 'vscode';
import type { Outcome } from '../model/outcome.ts';
import { commandName } from './commandNames.ts';
import type * as commandsEntry from './commands.ts';
import { setContextKey } from './contextKeys.ts';
import { namingWork } from './namingWork.ts';
import type { Parts } from './parts.ts';
import { showError } from './showError.ts';

const prefix = 'redisCluster.';

/**
 * Registers all contributed commands; whatever one throws becomes its result and a message.
 * @param extension whose package.json contributes them
 * @param load their code, which is two thirds of all, on first use: an editor that starts waits for none of it
 */
export function registerCommands(
  parts: Parts,
  { packageJSON }: vscode.Extension<unknown>,
  load: () => Promise<typeof commandsEntry>,
): vscode.Disposable {
  let loaded: typeof commandsEntry | undefined;
  const run = async (name: string, argument: unknown): Promise<Outcome> => {
    try {
      loaded ??= await load();
      const command = loaded.commands[name];
      if (command === undefined) throw new Error(`${prefix}${name} is contributed and has no code.`);
      await parts.sourcesReady();
      const result = await command(parts, argument);
      // Completes a step of the walkthrough: what was dismissed or refused does not.
      if (result.outcome === 'done') setContextKey(`did.${name}`, true);
      parts.log.info(`${name}: ${result.outcome}. ${result.message}`);
      return result;
    } catch (error) {
      return showError(parts.log, commandName(name) ?? name, await namingWork(parts, argument, error));
    }
  };
  const { contributes } = packageJSON as Manifest;
  const registered = contributes.commands.map(({ command }) =>
    vscode.commands.registerCommand(command, (argument: unknown) =>
      run(command.slice(prefix.length), argument),
    ),
  );
  return vscode.Disposable.from(...registered, { dispose: () => loaded?.closeLogs() });
}

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}
