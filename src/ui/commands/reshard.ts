import * as vscode from 'vscode';
import { pastRuns } from '../../operations/run/journal.ts';
import { planReshard, type ReshardRequest } from '../../operations/reshard.ts';
import {
  plannedRuns,
  planRemainder,
  remainderOf,
  type Remainder,
} from '../../operations/reshardRemainder.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import { messageOf, UserError } from '../../model/errors.ts';
import { agoText } from '../../model/ago.ts';
import type { Outcome } from '../../model/outcome.ts';
import { quantity } from '../../model/quantity.ts';
import { mastersOf, nodeName, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { parseSlots, type SlotSet } from '../../model/slots.ts';
import { moveOptionsIn } from '../questions/moveOptions.ts';
import { Asking } from '../questions/asking.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { movedText, runPlanned } from '../run/runPlanned.ts';
import { picked, pickNode, textAnswer, type Answers } from '../questions/target.ts';

/** Moves hash slots with their keys from one or all masters to another, while clients read and write. */
export async function reshard(parts: Parts, argument: unknown): Promise<Outcome | (Outcome & PlanResult)> {
  const asking = new Asking(parts, argument);
  const snapshot = await toChange(parts, argument, await parts.inventory.fresh(await asking.cluster()));
  const { answers, target } = asking;
  const options = moveOptionsIn(answers);
  const isAsked = answers['to'] === undefined || answers['slots'] === undefined;
  const given = sourcesIn(answers);
  const to = await asking.or(textAnswer(answers, 'to'), () => askTarget(snapshot, given));
  const fromRow = target?.kind === 'node' && target.nodeId !== to ? [target.nodeId] : undefined;
  const from = fromRow ?? given ?? (isAsked ? await askSources(snapshot, to) : 'all');
  const slots = await asking.or(slotsIn(answers), () => askSlots(snapshot, to));
  const request = { from, to, slots, ...options };
  const isNew = answers['startOver'] === true;
  const remainder = isNew ? undefined : await remainderToMove(parts, snapshot, request, isAsked);
  const plan =
    remainder === undefined ? planReshard(snapshot, request) : planRemainder(snapshot, request, remainder);
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Reshard',
    message: (result) => movedText(plan, result),
  });
}

/** What the same reshard left when it stopped; whoever is asked questions may start over. */
async function remainderToMove(
  { journals, log }: Parts,
  snapshot: ClusterSnapshot,
  request: ReshardRequest,
  isAsked: boolean,
): Promise<Remainder | undefined> {
  const runs = await pastRuns(journals).catch((error: unknown) => {
    log.warn(`The journals of earlier operations cannot be read: ${messageOf(error)}`);
    return [];
  });
  const remainder = remainderOf(plannedRuns(runs), snapshot, request, journals.clock());
  if (remainder === undefined || !isAsked) return remainder;
  const left = slotsText(remainder.slots);
  if (remainder.slots.length === 0) return undefined;
  const total = typeof request.slots === 'number' ? quantity(request.slots, 'slot') : '';
  const items = [
    { label: 'Resume', description: `Move the remaining ${left}`, remainder },
    { label: 'Start Over', description: `Move another ${total}`, remainder: undefined },
  ];
  const placeHolder = `This reshard of ${total} stopped ${agoText(remainder.stoppedAt)}`;
  return (
    await picked(vscode.window.showQuickPick(items, { title: `Reshard ${snapshot.name}`, placeHolder }))
  ).remainder;
}

function sourcesIn(answers: Answers): 'all' | readonly string[] | undefined {
  const from = answers['from'];
  if (from === undefined || from === 'all') return from;
  if (typeof from === 'string') return [from];
  if (Array.isArray(from)) return from.map(String);
  throw new UserError('invalid-input', '"from" must be "all", a node id or a list of node ids.');
}

function slotsIn(answers: Answers): number | SlotSet | undefined {
  const slots = answers['slots'];
  if (slots === undefined || typeof slots === 'number') return slots;
  if (typeof slots === 'string') return parseSlots(slots);
  throw new UserError(
    'invalid-input',
    '"slots" must be a number of slots, or slots and ranges such as "0-99,200".',
  );
}

async function askTarget(snapshot: ClusterSnapshot, sources: ReshardRequest['from'] = []): Promise<string> {
  const masters = mastersOf(snapshot).filter(({ id }) => !sources.includes(id));
  const title = `Reshard ${snapshot.name}`;
  return (await pickNode(snapshot, 'Select the master to move slots to', masters, title)).id;
}

async function askSources(snapshot: ClusterSnapshot, to: string): Promise<'all' | readonly string[]> {
  const sources = mastersOf(snapshot).filter((node) => node.id !== to && node.slots.length > 0);
  const items = sources.map((node) => ({
    label: nodeName(node),
    description: slotsText(node.slots),
    picked: true,
    node,
  }));
  const options = {
    title: `Reshard ${snapshot.name}`,
    placeHolder: 'Select the masters to move slots from',
    canPickMany: true as const,
  };
  const chosen = await picked(vscode.window.showQuickPick(items, options));
  return chosen.length === items.length ? 'all' : chosen.map(({ node }) => node.id);
}

async function askSlots(snapshot: ClusterSnapshot, to: string): Promise<number | SlotSet> {
  const read = (text: string): number | SlotSet =>
    /^\s*\d+\s*slots?\s*$|^\s*\d+\s*$/.test(text) ? Number.parseInt(text, 10) : parseSlots(text);
  const text = await picked(
    vscode.window.showInputBox({
      title: `Reshard ${snapshot.name}`,
      prompt:
        'Enter a number of slots, or slot ranges. A plain number is a count; enter 5-5 for slot 5 alone.',
      placeHolder: '1000   or   0-99,200-299',
      ignoreFocusOut: true,
      validateInput: (value) => {
        try {
          planReshard(snapshot, { from: 'all', to, slots: read(value) });
          return undefined;
        } catch (error) {
          return messageOf(error);
        }
      },
    }),
  );
  return read(text);
}
