import { createHash } from 'node:crypto';
import { UserError } from '../../model/errors.ts';
import { nodeName } from '../../model/shards.ts';
import type * as redisEntry from '../../redis/entry.ts';
import type { ClusterDialer } from '../../redis/nodeConnection.ts';
import { withConnection } from '../servers/withConnection.ts';
import { copiedShard, fileOf, type CopiedShard } from './description.ts';
import type { ShardSource } from './sources.ts';

/** Where the files of a backup go. What was begun is removed by whoever made the place, unless all of it was written. */
export interface BackupPlace {
  /** Begins a file. `write` ends when there is room for more. */
  create(name: string): Promise<{ write(bytes: Buffer): Promise<void>; end(): Promise<void> }>;
}

export interface CopyPorts {
  readonly dialer: ClusterDialer;
  readonly redis: Pick<typeof redisEntry, 'receiveRdb' | 'RdbReader' | 'RdbSum' | 'TooLargeValue'>;
  readonly place: BackupPlace;
  /** What has come since the last call. */
  readonly onCopied: (bytes: number, keys: number) => void;
  /** The server has begun to send: it has forked, and what it sends no longer changes. */
  readonly onBegun?: () => void;
  readonly signal: AbortSignal;
}

/**
 * Copies the data of a shard into a file: asked of its server by the replication protocol, looked through key by key,
 * and compared with the sum at its end. Throws a UserError where that fails, and AbortError when it is stopped.
 */
export async function copyShard(shard: ShardSource, ports: CopyPorts): Promise<CopiedShard> {
  const { redis, place, signal, onCopied, onBegun } = ports;
  const { source, master } = shard;
  const name = nodeName(source);
  const hash = createHash('sha256');
  const sum = new redis.RdbSum();
  const counted = new KeyCount(new redis.RdbReader(`The data of ${name}`), redis);
  const file = await place.create(fileOf(master));
  let bytes = 0;
  try {
    await withConnection(ports, source.id, async (connection) => {
      const stop = (): void => {
        connection.close();
      };
      signal.addEventListener('abort', stop);
      try {
        for await (const piece of redis.receiveRdb(connection, name)) {
          signal.throwIfAborted();
          if (bytes === 0) onBegun?.();
          hash.update(piece);
          sum.add(piece);
          bytes += piece.length;
          onCopied(piece.length, counted.add(piece));
          await file.write(piece);
        }
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener('abort', stop);
      }
    });
  } finally {
    await file.end();
  }
  onCopied(0, counted.end());
  if (!sum.isRight()) {
    throw new UserError('failed', `The data of ${name} arrived damaged: its checksum does not match.`);
  }
  return copiedShard(shard, { bytes, sha256: hash.digest('hex'), ...counted.facts() });
}

/** Counts the keys of a file as its pieces pass, for as long as they can be looked through. */
class KeyCount {
  readonly #reader: redisEntry.RdbReader;
  readonly #redis: CopyPorts['redis'];
  #keys = 0;
  #isGivenUp = false;

  constructor(reader: redisEntry.RdbReader, redis: CopyPorts['redis']) {
    this.#reader = reader;
    this.#redis = redis;
  }

  /** How many keys the piece completes. */
  add(piece: Buffer): number {
    return this.#count(() => this.#reader.push(piece));
  }

  end(): number {
    return this.#count(() => this.#reader.end());
  }

  facts(): Pick<CopiedShard, 'rdbVersion' | 'keys'> {
    const { version = 0 } = this.#reader.header ?? {};
    return { rdbVersion: version, ...(this.#isGivenUp ? {} : { keys: this.#keys }) };
  }

  /** A value that is too large to be held is no fault of the file. */
  #count(read: () => readonly redisEntry.RdbEntry[]): number {
    if (this.#isGivenUp) return 0;
    try {
      const found = read().filter(({ kind }) => kind === 'key').length;
      this.#keys += found;
      return found;
    } catch (error) {
      if (!(error instanceof this.#redis.TooLargeValue)) throw error;
      this.#isGivenUp = true;
      return 0;
    }
  }
}
