import * as vscode from 'vscode';
import type { NewShape } from '../../operations/backups/newShape.ts';
import type { DeployAnswers } from '../../operations/manifests/answers.ts';
import { checkOverlays, isOverlay, overlays, type Overlay } from '../../operations/manifests/overlays.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import { numberAnswer, picked, textAnswer, type Answers } from './target.ts';

/** What a cluster is to be, without its place. */
export type ClusterAnswers = Omit<DeployAnswers, 'namespace' | 'name'>;

const optionalTexts = ['image', 'storage', 'storageClass', 'memory'] as const;

/** The answers that an argument gives; what has a default that suits most may be absent. */
export function givenAnswers(given: Answers): ClusterAnswers {
  const texts = optionalTexts.map((field) => [field, textAnswer(given, field)] as const);
  const chosen = overlaysIn(given);
  const adopt = given['adopt'];
  if (adopt !== undefined && typeof adopt !== 'boolean')
    throw new UserError('invalid-input', '"adopt" must be true or false.');
  return {
    masters: numberAnswer(given, 'masters') ?? 3,
    replicasPerMaster: numberAnswer(given, 'replicasPerMaster') ?? 1,
    ...(chosen === undefined ? {} : { overlays: chosen }),
    ...(Object.fromEntries(texts.filter(([, value]) => value !== undefined)) as Partial<
      Record<(typeof optionalTexts)[number], string>
    >),
    auth: authIn(given),
    ...(adopt === undefined ? {} : { adopt }),
  };
}

/** What is suggested for a new cluster where an argument does not say otherwise; the overlay dev has no volumes. */
export function onTopOf({ storage, ...suggested }: NewShape, given: Answers): Answers {
  const { overlays: chosen = suggested.overlays } = given;
  const hasVolumes = !(Array.isArray(chosen) && chosen.includes('dev'));
  return { ...suggested, ...(hasVolumes && storage !== undefined ? { storage } : {}), ...given };
}

/** Asks for what an argument leaves open and people want to decide. */
export async function askAnswers(given: Answers, title: string): Promise<ClusterAnswers> {
  const known = givenAnswers(given);
  const chosen = known.overlays ?? (await askOverlays(title));
  const shape = given['masters'] === undefined ? await askShape(title) : {};
  const storage = known.storage ?? (chosen.includes('dev') ? undefined : await askStorage(title, chosen));
  return { ...known, overlays: chosen, ...shape, ...(storage === undefined ? {} : { storage }) };
}

function overlaysIn(given: Answers): readonly Overlay[] | undefined {
  const value = given['overlays'];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every(isOverlay)) return value;
  throw new UserError(
    'invalid-input',
    `"overlays" must be a list of these names: ${Object.keys(overlays).join(', ')}.`,
  );
}

function authIn(given: Answers): DeployAnswers['auth'] {
  const auth = given['auth'] ?? 'generate';
  if (auth === 'generate' || auth === 'none') return auth;
  if (typeof auth === 'object' && 'secret' in auth && 'key' in auth) {
    const { secret, key } = auth;
    if (typeof secret === 'string' && typeof key === 'string') return { secret, key };
  }
  throw new UserError('invalid-input', '"auth" must be "generate", "none" or {secret, key}.');
}

/** Asks until the overlays fit together; the title then says which of them do not. */
async function askOverlays(
  title: string,
  problem?: string,
  before: readonly Overlay[] = [],
): Promise<readonly Overlay[]> {
  const items = Object.entries(overlays).map(([label, detail]) => {
    return { label, detail, picked: before.some((one) => one === label) };
  });
  const rows = await picked(
    vscode.window.showQuickPick(items, {
      title: problem ?? title,
      placeHolder: 'Select overlays, or none for the base manifests',
      canPickMany: true,
      ignoreFocusOut: true,
    }),
  );
  const chosen = rows.map(({ label }) => label).filter(isOverlay);
  try {
    checkOverlays(chosen);
    return chosen;
  } catch (error) {
    return askOverlays(title, messageOf(error), chosen);
  }
}

function askStorage(title: string, chosen: readonly Overlay[]): Promise<string> {
  return ask(title, 'Volume size per pod', chosen.includes('production') ? '10Gi' : '1Gi');
}

/** One line of text; an AbortError where the question is dismissed. */
export function ask(title: string, prompt: string, value: string): Promise<string> {
  return picked(vscode.window.showInputBox({ title, prompt, value, ignoreFocusOut: true }));
}

type Shape = Pick<DeployAnswers, 'masters' | 'replicasPerMaster'>;

/** @param suggested the text that stands there at first */
export async function askShape(title: string, suggested = '3 x 1'): Promise<Shape> {
  const text = await picked(
    vscode.window.showInputBox({
      title,
      prompt: 'Enter masters × replicas per master, such as 3 x 1.',
      value: suggested,
      ignoreFocusOut: true,
      validateInput: (value) => {
        try {
          return readShape(value).masters < 3 ? 'A Redis Cluster needs at least 3 masters.' : undefined;
        } catch (error) {
          return messageOf(error);
        }
      },
    }),
  );
  return readShape(text);
}

function readShape(text: string): Shape {
  const [, masters, replicas] = /^\s*(\d+)\s*[x×*]\s*(\d+)\s*$/.exec(text) ?? [];
  if (masters === undefined || replicas === undefined)
    throw new UserError('invalid-input', 'Enter masters × replicas per master, such as 3 x 1.');
  return { masters: Number(masters), replicasPerMaster: Number(replicas) };
}
