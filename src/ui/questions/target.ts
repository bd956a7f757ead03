import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import {
  isKubernetesRef,
  parseClusterRef,
  type AddressClusterRef,
  type ClusterRef,
} from '../../model/clusterRef.ts';
import { UserError } from '../../model/errors.ts';
import { nodeName, slotsText } from '../../model/shards.ts';
import type { ClusterSnapshot, RedisNode } from '../../model/snapshot.ts';
import { memberOf } from '../../operations/servers/nodes.ts';
import type { Parts } from '../parts.ts';
import type { RowTarget } from '../tree/row.ts';

/** A command's argument: a tree row, an object with the answers, or nothing. */
export type Answers = Readonly<Record<string, unknown>>;

/** The answers an argument object holds; none where the command came from the palette or a row. */
export function answersOf(parts: Parts, argument: unknown): Answers {
  if (typeof argument !== 'object' || argument === null || rowTarget(parts, argument) !== undefined)
    return {};
  return argument as Answers;
}

/** What the row stands for that a command was started from. */
export function rowTarget(parts: Parts, argument: unknown): RowTarget | undefined {
  if (typeof argument !== 'object' || argument === null || !('id' in argument)) return undefined;
  return typeof argument.id === 'string' ? parts.tree.target({ id: argument.id }) : undefined;
}

/** Whether a command's row or argument says which cluster it is about; otherwise a person is asked. */
export function namesCluster(parts: Parts, argument: unknown): boolean {
  const target = rowTarget(parts, argument);
  const answers = answersOf(parts, argument);
  const isRow = target !== undefined && 'ref' in target;
  return isRow || answers['cluster'] !== undefined || 'name' in answers || 'addresses' in answers;
}

/** The cluster a command is about: from its row, from its argument, or picked. Throws AbortError where none is picked. */
export async function clusterOf(parts: Parts, argument: unknown): Promise<ClusterRef> {
  const target = rowTarget(parts, argument);
  if (target !== undefined && 'ref' in target) return target.ref;
  const answers = answersOf(parts, argument);
  if (answers['cluster'] === 'sandbox') return sandboxOf(parts);
  if (answers['cluster'] !== undefined) return parseClusterRef(answers['cluster']);
  if ('name' in answers || 'addresses' in answers) return parseClusterRef(answers);
  return pickCluster(parts);
}

/** The sandbox that runs now. Throws a UserError with a button that starts one. */
export function sandboxOf({ sandbox }: Parts): AddressClusterRef {
  if (sandbox.ref !== undefined) return sandbox.ref;
  throw new UserError('not-found', 'The sandbox is not running. Start it and try again.', {
    help: { title: 'Start Sandbox', command: 'redisCluster.startSandbox' },
  });
}

/** Every cluster that is in the tree, or was found in a context. */
export function knownClusters({
  inventory,
}: Parts): readonly { readonly ref: ClusterRef; readonly name: string }[] {
  return [
    ...inventory.addressClusters().map(({ source }) => ({ ref: source.ref, name: source.name })),
    ...inventory.contexts().flatMap((context) => context.scopes.flatMap((scope) => scope.clusters)),
  ];
}

/** Every cluster that has been read, with the last reading of each. */
export function readClusters({ inventory }: Pick<Parts, 'inventory'>): readonly ClusterSnapshot[] {
  return [
    ...inventory.addressClusters().flatMap(({ snapshot }) => snapshot ?? []),
    ...inventory.contexts().flatMap(({ scopes }) => scopes.flatMap(({ clusters }) => clusters)),
  ];
}

async function pickCluster(parts: Parts): Promise<ClusterRef> {
  const clusters = knownClusters(parts);
  if (clusters.length === 0) {
    throw new UserError(
      'not-found',
      'No Redis Cluster has been found yet. Expand a context in the Redis Cluster view, add a cluster by its address, or start the sandbox.',
    );
  }
  const only = clusters[0];
  if (clusters.length === 1 && only !== undefined) return only.ref;
  const items = clusters.map(({ ref, name }) => ({
    label: name,
    description: isKubernetesRef(ref) ? `${ref.context} · ${ref.namespace}` : ref.addresses.join(', '),
    ref,
  }));
  return (
    await picked(
      vscode.window.showQuickPick(items, { title: 'Redis Cluster', placeHolder: 'Select a cluster' }),
    )
  ).ref;
}

/** The node a command is about, in a fresh reading of its cluster. */
export async function nodeOf(
  parts: Parts,
  argument: unknown,
): Promise<{ readonly snapshot: ClusterSnapshot; readonly node: RedisNode }> {
  const target = rowTarget(parts, argument);
  const ref = await clusterOf(parts, argument);
  const snapshot = await parts.inventory.fresh(ref);
  const id = target?.kind === 'node' ? target.nodeId : textAnswer(answersOf(parts, argument), 'node');
  if (id === undefined) return { snapshot, node: await pickNode(snapshot, 'Select a node') };
  return { snapshot, node: memberOf(snapshot, id) };
}

export async function pickNode(
  snapshot: ClusterSnapshot,
  placeHolder: string,
  nodes: readonly RedisNode[] = snapshot.nodes,
  title = snapshot.name,
): Promise<RedisNode> {
  const items = nodes.map((node) => ({
    label: nodeName(node),
    description: [node.role, ...(node.slots.length === 0 ? [] : [slotsText(node.slots)])].join(' · '),
    detail: node.id,
    node,
  }));
  const options = { title, placeHolder, matchOnDetail: true };
  return (await picked(vscode.window.showQuickPick(items, options))).node;
}

/** The answer to a question; an AbortError where it was dismissed. */
export async function picked<T>(answer: Thenable<T | undefined>): Promise<T> {
  const value = await answer;
  if (value === undefined) throw new DOMException('The question was dismissed.', 'AbortError');
  return value;
}

/** Reads an answer that has to be a text. Throws a UserError that names the field. */
export function textAnswer(answers: Answers, field: string): string | undefined {
  const value = answers[field];
  if (value === undefined || typeof value === 'string') return value;
  throw new UserError('invalid-input', `"${field}" must be a string.`);
}

/** Reads an answer that has to be the absolute path of a folder. Throws a UserError that names the field. */
export function folderAnswer(answers: Answers, field: string): string | undefined {
  const value = textAnswer(answers, field);
  if (value === undefined || isAbsolute(value)) return value;
  throw new UserError('invalid-input', `"${field}" is not the absolute path of a folder: ${value}`);
}

/** Reads answers that stand together in one field, as those of a new cluster do. Throws a UserError that names it. */
export function groupAnswer(answers: Answers, field: string): Answers {
  const value = answers[field] ?? {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Answers;
  throw new UserError('invalid-input', `"${field}" must be an object.`);
}

/** Reads an answer that has to be a whole number. Throws a UserError that names the field. */
export function numberAnswer(answers: Answers, field: string): number | undefined {
  const value = answers[field];
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value))) return value;
  throw new UserError('invalid-input', `"${field}" must be a whole number.`);
}

/** The node ids that an answer says are dead. Throws a UserError where it is no list of texts. */
export function deadIn({ dead }: Answers): readonly string[] | undefined {
  if (dead === undefined) return undefined;
  if (Array.isArray(dead) && dead.every((id): id is string => typeof id === 'string')) return dead;
  throw new UserError('invalid-input', '"dead" must be a list of node ids. Nothing was changed.');
}
