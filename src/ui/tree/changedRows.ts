import type { Row } from './row.ts';

/** All rows of a forest by id, with their parents. */
export type RowIndex = ReadonlyMap<string, { readonly row: Row; readonly parent: string | undefined }>;

export function indexRows(rows: readonly Row[]): RowIndex {
  const index = new Map<string, { readonly row: Row; readonly parent: string | undefined }>();
  const add = (row: Row, parent: string | undefined): void => {
    index.set(row.id, { row, parent });
    for (const child of row.children) add(child, row.id);
  };
  for (const row of rows) add(row, undefined);
  return index;
}

/**
 * The ids of the rows that have to be drawn again, an ancestor standing for all below it; `undefined` where the first
 * level itself changed. A row whose own looks changed and one whose list of children changed are drawn again; their
 * siblings and parents are not.
 */
export function changedRows(before: RowIndex, after: RowIndex): readonly string[] | undefined {
  const roots = (index: RowIndex): string =>
    [...index].flatMap(([id, { parent }]) => (parent === undefined ? [id] : [])).join('\n');
  if (roots(before) !== roots(after)) return undefined;
  const changed = new Set<string>();
  for (const [id, { row }] of after) {
    const old = before.get(id)?.row;
    if (old !== undefined && old !== row && looks(old) !== looks(row)) changed.add(id);
  }
  return [...changed].filter((id) => !hasChangedAncestor(id, after, changed));
}

/** Tooltips are resolved when they are shown, so that a number changing in one redraws nothing. */
function looks(row: Row): string {
  return JSON.stringify({ ...row, tooltip: undefined, children: row.children.map((child) => child.id) });
}

function hasChangedAncestor(id: string, index: RowIndex, changed: ReadonlySet<string>): boolean {
  let parent = index.get(id)?.parent;
  while (parent !== undefined) {
    if (changed.has(parent)) return true;
    parent = index.get(parent)?.parent;
  }
  return false;
}
