import { UserError } from '../../model/errors.ts';
import { RdbReader, TooLargeValue } from './rdbReader.ts';
import { RdbSum } from './rdbSum.ts';
import type { Family } from './values.ts';

/** What an RDB file holds. */
export interface Scanned {
  readonly family: Family;
  /** The types of its values. */
  readonly types: ReadonlySet<number>;
  readonly keys: number;
}

/**
 * Reads a whole file before anything of it is used. Throws a UserError where it is damaged, cut off, has keys of several
 * databases, or a value that is too large, which is named.
 * @param name what users call it
 */
export async function scanRdb(pieces: AsyncIterable<Buffer>, name: string): Promise<Scanned> {
  const reader = new RdbReader(name);
  const sum = new RdbSum();
  const types = new Set<number>();
  let keys = 0;
  const take = (entries: ReturnType<RdbReader['push']>): void => {
    for (const entry of entries) {
      if (entry.kind !== 'key') continue;
      if (entry.database !== 0) {
        throw refused(name, `it has keys in database ${entry.database}. A cluster has database 0 only.`);
      }
      keys += 1;
      types.add(entry.type);
    }
  };
  try {
    for await (const piece of pieces) {
      sum.add(piece);
      take(reader.push(piece));
    }
    take(reader.end());
  } catch (error) {
    if (!(error instanceof TooLargeValue)) throw error;
    throw refused(name, `the value of key ${JSON.stringify(error.key.toString())} takes more than 64 MiB.`);
  }
  if (!sum.isRight()) throw refused(name, 'its checksum does not match its content.');
  return { family: reader.header?.family ?? 'redis', types, keys };
}

function refused(name: string, why: string): UserError {
  return new UserError('invalid-input', `${name} cannot be restored: ${why} Nothing was changed.`);
}
