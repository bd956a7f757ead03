import { formatAddress, parseAddress, type AddressClusterRef } from '../model/clusterRef.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { mergeViews, toldBy } from './mergeViews.ts';
import { NodeReader, type RedisReading } from './nodeReader.ts';
import { pace } from './pace.ts';
import { readRound } from './readRound.ts';

/** Reads one cluster outside Kubernetes while it runs: from its seed addresses on, every node that a node lists. */
export class AddressScope {
  snapshot: ClusterSnapshot | undefined;
  readonly ref: AddressClusterRef;
  readonly name: string;
  readonly #redis: RedisReading;
  readonly #credentials: () => Promise<Credentials>;
  readonly #onRead: () => void;
  readonly #readers = new Map<string, NodeReader>();
  /** The lines whose nodes are read already. */
  #followed: ReturnType<typeof toldBy> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  running = false;

  constructor(
    ref: AddressClusterRef,
    name: string,
    redis: RedisReading,
    credentials: () => Promise<Credentials>,
    onRead: () => void,
  ) {
    this.ref = ref;
    this.name = name;
    this.#redis = redis;
    this.#credentials = credentials;
    this.#onRead = onRead;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    void this.readNow();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.#timer);
    for (const reader of this.#readers.values()) reader.close();
    this.#readers.clear();
    this.#followed = undefined;
  }

  reader(nodeId: string): NodeReader | undefined {
    return [...this.#readers.values()].find(({ reading }) => reading.lastId === nodeId);
  }

  /** A round in which every node is asked after the call, and waited for as long as it may take. */
  async readFully(): Promise<void> {
    await this.#round;
    await this.#begin(true);
  }

  /** Ends with the round that runs, or with one that begins now. */
  readNow(): Promise<void> {
    return this.#round ?? this.#begin(false);
  }

  #begin(isPatient: boolean): Promise<void> {
    clearTimeout(this.#timer);
    const round = this.#runRound(isPatient).finally(() => {
      if (this.#round === round) this.#round = undefined;
      clearTimeout(this.#timer);
      if (this.running) this.#timer = setTimeout(() => void this.readNow(), pace.readEveryMs);
    });
    this.#round = round;
    return round;
  }

  async #runRound(isPatient: boolean): Promise<void> {
    for (const address of this.ref.addresses) this.#readerOf(address);
    await readRound([...this.#readers.values()], isPatient);
    const before = this.#readers.size;
    this.#followViews();
    if (this.#readers.size > before) await readRound([...this.#readers.values()], isPatient);
    const sources = [...this.#readers].map(([address, { reading }]) => ({ address, reading }));
    this.snapshot = {
      ref: this.ref,
      name: this.name,
      takenAt: Date.now(),
      workloads: [],
      ...mergeViews(withoutTwins(sources)),
    };
    this.#onRead();
  }

  #followViews(): void {
    const views = [...this.#readers.values()].flatMap(({ reading: { view } }) => view ?? []);
    const told = toldBy(views);
    if (told === this.#followed) return;
    this.#followed = told;
    const listed = new Set<string>(this.ref.addresses);
    for (const line of told) {
      if (line.host === '' || line.flags.includes('handshake')) continue;
      listed.add(formatAddress(line));
    }
    for (const address of listed) this.#readerOf(address);
    for (const [address, reader] of this.#readers) {
      if (listed.has(address) || reader.reading.view !== undefined) continue;
      reader.close();
      this.#readers.delete(address);
    }
  }

  #readerOf(address: string): void {
    if (this.#readers.has(address)) return;
    const open = async (): Promise<Awaited<ReturnType<ConstructorParameters<typeof NodeReader>[1]>>> => ({
      endpoint: parseAddress(address),
      credentials: await this.#credentials(),
      close: () => undefined,
    });
    this.#readers.set(address, new NodeReader(this.#redis, open));
  }
}

/** A seed and an announced address can be the same server: each node counts once. */
function withoutTwins<
  T extends { readonly reading: { readonly view?: { readonly self: { readonly id: string } } } },
>(sources: readonly T[]): readonly T[] {
  const seen = new Set<string>();
  return sources.filter(({ reading }) => {
    const id = reading.view?.self.id;
    if (id === undefined) return true;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
