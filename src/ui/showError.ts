import * as vscode from 'vscode';
import { isAbort, messageOf, StoppedError, UserError, type Help } from '../model/errors.ts';
import { outcomeOf, type Outcome } from '../model/outcome.ts';
import { asSentence } from '../model/unread.ts';

/**
 * Turns whatever a command threw into its result, and shows it: the one place where errors become messages.
 *
 * @param title what failed, as users call it
 */
export function showError(log: vscode.LogOutputChannel, title: string, error: unknown): Outcome {
  // A question was dismissed or a wait ended: an operation that is stopped says in its result how far it came.
  if (isAbort(error)) return { outcome: 'cancelled', message: `${title}: cancelled.` };
  if (error instanceof UserError) {
    log.warn(`${title}: ${error.message}`);
    if (error.cause !== undefined) log.debug(`${title}: caused by ${messageOf(error.cause)}`);
    showWithLog(log, error.message, error.help);
    const reached = error instanceof StoppedError ? error.reached : {};
    return { ...reached, outcome: outcomeOf(error), message: error.message };
  }
  log.error(error instanceof Error ? error : messageOf(error));
  showWithLog(
    log,
    `${title} failed unexpectedly: ${asSentence(messageOf(error))} This is a bug; please report it.`,
  );
  return { outcome: 'failed', message: messageOf(error) };
}

/** VS Code shows the whole of a long message only where it has a button. */
function showWithLog(log: vscode.LogOutputChannel, message: string, help?: Help): void {
  const showLog = 'Show Log';
  const buttons = help === undefined ? [showLog] : [help.title, showLog];
  void vscode.window.showErrorMessage(message, ...buttons).then((answer) => {
    if (answer === showLog) log.show();
    else if (answer !== undefined && help !== undefined) void give(help);
  });
}

async function give(help: Help): Promise<void> {
  if ('command' in help) await vscode.commands.executeCommand(help.command);
  else if ('url' in help) await vscode.env.openExternal(vscode.Uri.parse(help.url));
  else {
    const terminal = vscode.window.createTerminal(help.title);
    terminal.show();
    // Typed, and left to the user to run.
    terminal.sendText(help.terminal, false);
  }
}
