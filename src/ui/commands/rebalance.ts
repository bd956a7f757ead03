import { quantity } from '../../model/quantity.ts';
import * as vscode from 'vscode';
import { UserError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { mastersOf, nodeName, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot } from '../../model/snapshot.ts';
import { planRebalance, type RebalanceRequest } from '../../operations/rebalance.ts';
import type { PlanResult } from '../../operations/run/planResult.ts';
import { Asking } from '../questions/asking.ts';
import { moveOptionsIn } from '../questions/moveOptions.ts';
import type { Parts } from '../parts.ts';
import { toChange } from '../questions/partToChange.ts';
import { movedText, runPlanned } from '../run/runPlanned.ts';
import { picked, type Answers } from '../questions/target.ts';

/** Gives every master its share of the hash slots with the fewest moves, while clients read and write. */
export async function rebalance(parts: Parts, argument: unknown): Promise<Outcome | (Outcome & PlanResult)> {
  const asking = new Asking(parts, argument);
  const snapshot = await toChange(parts, argument, await parts.inventory.fresh(await asking.cluster()));
  const { answers } = asking;
  const isAsked = Object.keys(answers).length === 0;
  const options = moveOptionsIn(answers);
  const request = await asking.or(isAsked ? undefined : requestIn(answers), () => askMasters(snapshot));
  const plan = planRebalance(snapshot, { ...request, ...options });
  if (answers['preview'] === true) {
    await parts.documents.show(
      `Plan – ${plan.title}`,
      [...plan.warnings, ...plan.steps.map(({ text }) => text), ''].join('\n'),
    );
    return {
      outcome: 'done',
      message: `${plan.title}: preview with ${quantity(plan.steps.length, 'move')}. Nothing was changed.`,
    };
  }
  return runPlanned(parts, {
    plan,
    asking,
    verb: 'Rebalance',
    message: (result) => movedText(plan, result),
  });
}

function requestIn(answers: Answers): RebalanceRequest {
  const { weights, threshold, useEmptyMasters } = answers;
  if (threshold !== undefined && typeof threshold !== 'number')
    throw wrong('threshold', 'a number of percent');
  if (useEmptyMasters !== undefined && typeof useEmptyMasters !== 'boolean') {
    throw wrong('useEmptyMasters', 'true or false');
  }
  return {
    ...(weights === undefined ? {} : { weights: weightsIn(weights) }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(useEmptyMasters === undefined ? {} : { useEmptyMasters }),
  };
}

function weightsIn(value: unknown): Readonly<Record<string, number>> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : undefined;
  if (entries?.every((entry): entry is [string, number] => typeof entry[1] === 'number') !== true) {
    throw wrong('weights', 'an object of node ids and numbers');
  }
  return Object.fromEntries(entries);
}

function wrong(field: string, form: string): UserError {
  return new UserError('invalid-input', `"${field}" must be ${form}.`);
}

/** Asks which masters should own slots; masters that are left out are emptied. */
async function askMasters(snapshot: ClusterSnapshot): Promise<RebalanceRequest> {
  const items = mastersOf(snapshot).map((node) => ({
    label: nodeName(node),
    description: slotsText(node.slots),
    picked: true,
    node,
  }));
  const options = {
    title: `Rebalance ${snapshot.name}`,
    placeHolder: 'Select the masters that should own slots. Masters you leave out are emptied.',
    canPickMany: true as const,
  };
  const chosen = await picked(vscode.window.showQuickPick(items, options));
  return {
    weights: Object.fromEntries(items.map((item) => [item.node.id, chosen.includes(item) ? 1 : 0])),
  };
}
