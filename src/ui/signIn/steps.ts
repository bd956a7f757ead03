import * as vscode from 'vscode';
import { messageOf } from '../../model/errors.ts';

/** Where a question stands among those of one dialog, and what went wrong with the last answer. */
export interface Step {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly problem?: string | undefined;
}

interface TextQuestion extends Step {
  readonly prompt: string;
  readonly value: string;
  readonly placeHolder?: string;
  readonly password?: boolean;
  /** The answer may be the path of a file, for which a button opens a dialog. */
  readonly isFile?: boolean;
  /** Throws what is wrong with an answer. */
  readonly judge?: (value: string) => Promise<unknown>;
}

/** An answer; undefined where a person goes back. Throws AbortError where the question is dismissed. */
export async function askText(question: TextQuestion): Promise<string | undefined> {
  const { judge, isFile = false } = question;
  const box = vscode.window.createInputBox();
  const browse = { iconPath: new vscode.ThemeIcon('folder-opened'), tooltip: 'Select File…' };
  Object.assign(box, shared(question), {
    prompt: question.prompt,
    placeholder: question.placeHolder ?? '',
    value: question.value,
    password: question.password ?? false,
    validationMessage: question.problem ?? '',
    buttons: [...backFrom(question), ...(isFile ? [browse] : [])],
  });
  const answer = Promise.withResolvers<string | undefined>();
  let isBrowsing = false;
  const select = async (): Promise<void> => {
    isBrowsing = true;
    const [file] = (await vscode.window.showOpenDialog({ title: question.prompt })) ?? [];
    if (file !== undefined) box.value = file.fsPath;
    isBrowsing = false;
    box.show();
  };
  const accept = async (): Promise<void> => {
    box.busy = true;
    try {
      await judge?.(box.value);
      answer.resolve(box.value);
    } catch (error) {
      box.validationMessage = messageOf(error);
    } finally {
      box.busy = false;
    }
  };
  box.onDidAccept(() => void accept());
  box.onDidTriggerButton((button) => {
    if (button === browse) void select();
    else answer.resolve(undefined);
  });
  box.onDidChangeValue(() => {
    box.validationMessage = '';
  });
  box.onDidHide(() => {
    if (!isBrowsing) answer.reject(dismissed());
  });
  box.show();
  return answer.promise.finally(() => {
    box.dispose();
  });
}

/** The item that is selected; undefined where a person goes back. Throws AbortError where the question is dismissed. */
export async function askChoice<T extends string>(
  question: Step & { readonly prompt: string; readonly value: T },
  items: readonly (vscode.QuickPickItem & { readonly value: T })[],
): Promise<T | undefined> {
  const pick = vscode.window.createQuickPick<vscode.QuickPickItem & { readonly value: T }>();
  Object.assign(pick, shared(question), {
    placeholder: question.problem ?? question.prompt,
    buttons: backFrom(question),
    items,
    activeItems: items.filter(({ value }) => value === question.value),
  });
  const answer = Promise.withResolvers<T | undefined>();
  pick.onDidAccept(() => {
    const [item] = pick.selectedItems;
    if (item !== undefined) answer.resolve(item.value);
  });
  pick.onDidTriggerButton(() => {
    answer.resolve(undefined);
  });
  pick.onDidHide(() => {
    answer.reject(dismissed());
  });
  pick.show();
  return answer.promise.finally(() => {
    pick.dispose();
  });
}

function shared({
  title,
  step,
  totalSteps,
}: Step): Pick<vscode.QuickInput, 'title' | 'step' | 'totalSteps' | 'ignoreFocusOut'> {
  return { title, step, totalSteps, ignoreFocusOut: true };
}

function backFrom({ step }: Step): readonly vscode.QuickInputButton[] {
  return step === 1 ? [] : [vscode.QuickInputButtons.Back];
}

function dismissed(): DOMException {
  return new DOMException('The question was dismissed.', 'AbortError');
}
