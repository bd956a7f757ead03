import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A stand-in for the editor: what is shown is noted, and who is asked answers as the test says. */
export interface Shown {
  readonly kind: 'dialog' | 'pick' | 'text';
  readonly text: string;
}

interface Person {
  /** What is typed into an input box; undefined dismisses it. */
  readonly types: (prompt: string) => string | undefined;
  /** Whether the verb of a modal is pressed; otherwise it is dismissed. */
  readonly agrees: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export const shown: Shown[] = [];
const person: { now: Person } = { now: { types: () => undefined, agrees: false } };

export function setPerson(now: Person): void {
  person.now = now;
  shown.length = 0;
}

interface PickOptions {
  readonly placeHolder?: string;
  readonly canPickMany?: boolean;
}

export const window = {
  showQuickPick(items: readonly unknown[], { placeHolder = '', canPickMany }: PickOptions): Promise<unknown> {
    shown.push({ kind: 'pick', text: placeHolder });
    return Promise.resolve(canPickMany === true ? items.slice(0, 2) : items[0]);
  },
  showInputBox({ prompt }: { readonly prompt: string }): Promise<string | undefined> {
    shown.push({ kind: 'text', text: prompt });
    return Promise.resolve(person.now.types(prompt));
  },
  showWarningMessage(message: string, options: unknown, verb?: string): Promise<string | undefined> {
    if (typeof options === 'object') shown.push({ kind: 'dialog', text: message });
    return Promise.resolve(person.now.agrees ? verb : undefined);
  },
  showInformationMessage: () => Promise.resolve(undefined),
  showErrorMessage: () => Promise.resolve(undefined),
  withProgress: (_options: unknown, work: (progress: object, token: object) => unknown) =>
    work({ report: () => undefined }, { onCancellationRequested: () => undefined }),
};

export const ProgressLocation = { Notification: 15 };
export const ConfigurationTarget = { Global: 1 };
/** Settings that were written, by name. */
export const saved = new Map<string, unknown>();
export const FileType = { Directory: 2 };
export const Uri = { joinPath: (folder: string, name: string) => join(folder, name) };
export const workspace = {
  fs: {
    readDirectory: async (folder: string) =>
      (await readdir(folder, { withFileTypes: true })).map((one) => [one.name, one.isDirectory() ? 2 : 1]),
    readFile: (path: string) => readFile(path),
  },
  getConfiguration: () => ({
    get: (name: string, usual: unknown) => person.now.settings?.[name] ?? usual,
    update: (name: string, value: unknown) => {
      saved.set(name, value);
      return Promise.resolve();
    },
  }),
};

export const Disposable = { from: () => ({ dispose: () => undefined }) };
