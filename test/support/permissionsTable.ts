import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A right as the README writes it. */
export type TableRight = readonly [verb: string, resource: string];

/** What belongs to no namespace, as the README says it, so that no Role can grant it; what it is for works without. */
export function clusterWide(): readonly string[] {
  const [, text = ''] = /What belongs to no namespace [^:]*: ([^.]*)\./.exec(readPermissions()) ?? [];
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

function readPermissions(): string {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  return readme.slice(readme.indexOf('## Permissions'), readme.indexOf('## Safety'));
}

/** The README's permissions table: the rights that each of its rows names. */
export function permissionsTable(): ReadonlyMap<string, readonly TableRight[]> {
  const rows = [...readPermissions().matchAll(/^\| ([^|]+?) +\| ([^|]*`[^|]*) \|$/gm)];
  const deployed = /on (`statefulsets`[^;]*);/.exec(
    rows.find(([, title]) => title === 'deploy')?.[2] ?? '',
  )?.[1];
  if (deployed === undefined) throw new Error('The permissions table does not say what deploying creates.');
  return new Map(
    rows.map(([, title = '', cell = '']) => [
      title,
      rightsIn(cell.replace('the kinds that deploying creates', deployed)),
    ]),
  );
}

/** The rights in a cell, each as verb and resource: "`get`, `patch` on `a`, `b`; `list` on `c`". */
function rightsIn(cell: string): readonly TableRight[] {
  const words = (text: string): readonly string[] =>
    [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
  let verbs: readonly string[] = [];
  return cell.split(/;|(?<=`) and (?=`create`, `delete` on)/).flatMap((part) => {
    const [before = '', after] = part.split(' on ');
    if (after === undefined) return [];
    if (words(before).length > 0) verbs = words(before);
    return words(after).flatMap((resource) => verbs.map((verb) => [verb, resource] as const));
  });
}
