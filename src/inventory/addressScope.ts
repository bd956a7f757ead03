import { parseAddress } from '../model/clusterRef.ts';
import { History } from '../model/history.ts';
import { linesIn } from '../model/internedNodes.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';
import type { Credentials } from '../redis/nodeConnection.ts';
import { membersAt, placesOf, type AddressedSource, type AddressMembers } from './addressMembers.ts';
import { mergeViews } from './mergeViews.ts';
import { NodeReader, type Reading, type RedisReading, type Route } from './nodeReader.ts';
import { readRound } from './readRound.ts';
import { Rounds } from './rounds.ts';
import { checkingNames, tryRoutes } from './signIn.ts';
import { isAnswering, type Answering } from './source.ts';
import type { AddressSource } from './sources.ts';

/** Reads one cluster outside Kubernetes while it runs: from its seed addresses on, every node that a node lists. */
export class AddressScope {
  snapshot: ClusterSnapshot | undefined;
  readonly #source: AddressSource;
  readonly #redis: RedisReading;
  readonly #onRead: () => void;
  readonly #readers = new Map<string, NodeReader>();
  /** Where each address was dialled last: settings say it, and are not read again in every round. */
  readonly #dialled = new Map<string, string>();
  /** The ids of the nodes that were the cluster in the last round. */
  #known: ReadonlySet<string> = new Set();
  /** What members told when their places were looked up last. */
  #followed: ReturnType<typeof linesIn> | undefined;
  /**
   * The addresses whose servers speak TLS although nobody has said so, and those that were first dialled after one of them
   * had turned out to: a server may take plain text beside others that do not.
   */
  readonly #overTls = new Set<string>();
  readonly #history = new History();
  readonly #rounds = new Rounds((isPatient) => this.#runRound(isPatient));

  constructor(source: AddressSource, redis: RedisReading, onRead: () => void) {
    this.#source = source;
    this.#redis = redis;
    this.#onRead = onRead;
  }

  get running(): boolean {
    return this.#rounds.running;
  }

  start(): void {
    this.#rounds.start();
  }

  stop(): void {
    this.#rounds.stop();
    for (const reader of this.#readers.values()) reader.close();
    this.#readers.clear();
    this.#followed = undefined;
  }

  /** The reader of a member: never that of a server that answers in a member's place. */
  reader(nodeId: string): NodeReader | undefined {
    const node = this.snapshot?.nodes.find(({ id }) => id === nodeId);
    if (node === undefined) return undefined;
    const readers = [...this.#readers].filter(([, { reading }]) => reading.lastId === nodeId);
    const answering = readers.filter(([, { reading }]) => reading.view !== undefined);
    const isOwnPlace = (address: string, { view }: Reading): boolean =>
      view !== undefined && placesOf(view.self).includes(address);
    // A name may lead to another node next time. And a node may be reached at another address than the one that has
    // failed, such as a tunnel that was closed.
    const own = answering.find(([address, { reading }]) => isOwnPlace(address, reading));
    return (own ?? answering[0] ?? readers[0])?.[1];
  }

  /** What the servers are shown, over TLS where they have turned out to speak it. */
  async credentials(): Promise<Credentials> {
    const credentials = await this.#source.credentials();
    return this.#overTls.size === 0 ? credentials : withTls(credentials);
  }

  /** Reads a server with other credentials. Throws a UserError with the reason where that fails. */
  async trySignIn(given: Credentials): Promise<void> {
    const routes = this.#source.ref.addresses.map(
      (address) => () => Promise.resolve(this.#route(address, given)),
    );
    await tryRoutes(this.#redis, routes.slice(0, 3));
  }

  /** Signs in again to all servers: what they are shown has changed. */
  async reconnect(): Promise<void> {
    this.#overTls.clear();
    this.#dialled.clear();
    await Promise.all([...this.#readers.values()].map((reader) => reader.reconnect()));
  }

  /** A round in which every node is asked after the call, and waited for as long as it may take. */
  readFully(): Promise<void> {
    return this.#rounds.readFully();
  }

  /** Ends with a round that began after the call. */
  readNow(): Promise<void> {
    return this.#rounds.readNow();
  }

  async #runRound(isPatient: boolean): Promise<void> {
    for (const address of this.#source.ref.addresses) this.#readerOf(address);
    let members = await this.#readMembers(isPatient);
    // What members list is read in the same round, and their names where an address leads elsewhere.
    for (let pass = 0; pass < 2 && this.#follow(members); pass++)
      members = await this.#readMembers(isPatient);
    const { sources, ...others } = members;
    const merged = mergeViews(sources, { known: this.#known, ...others });
    this.#known = new Set(merged.nodes.flatMap(({ id, view }) => (view === undefined ? [] : [id])));
    const { ref, name } = this.#source;
    this.snapshot = { ref, name, takenAt: Date.now(), workloads: [], history: this.#history, ...merged };
    this.#onRead();
  }

  async #readMembers(isPatient: boolean): Promise<AddressMembers> {
    await readRound([...this.#readers.values()], isPatient);
    const asked = [...this.#readers].map(([address, { reading }]): AddressedSource => ({
      address,
      reading,
      dialled: this.#dialled.get(address) ?? address,
      isNamed: this.#source.ref.addresses.includes(address),
    }));
    return membersAt(asked, this.#known);
  }

  /** Keeps a reader for each place where a member can be; whether there is a new one. */
  #follow({ sources }: AddressMembers): boolean {
    const answering = sources.filter(isAnswering);
    const told = linesIn(answering.map(({ reading }) => reading.view));
    if (told === this.#followed && answering.length === sources.length) return false;
    this.#followed = told;
    const wanted = this.#placesToRead(answering, told);
    const before = this.#readers.size;
    for (const address of wanted) this.#readerOf(address);
    const isNew = this.#readers.size > before;
    for (const [address, reader] of this.#readers) {
      if (wanted.has(address)) continue;
      reader.close();
      this.#readers.delete(address);
    }
    return isNew;
  }

  /** Named addresses, those at which members answer, and those that members list. */
  #placesToRead(answering: readonly Answering[], told: ReturnType<typeof linesIn>): ReadonlySet<string> {
    const ids = new Set(answering.map(({ reading }) => reading.view.self.id));
    const wanted = new Set<string>(this.#source.ref.addresses);
    for (const { address } of answering) if (address !== undefined) wanted.add(address);
    for (const line of told) {
      const [first, ...more] = placesOf(line);
      if (first !== undefined) wanted.add(first);
      // Its name is tried only where it was not found at its address.
      const tried = first === undefined || this.#readers.get(first)?.reading.tried === true;
      if (tried && !ids.has(line.id)) for (const place of more) wanted.add(place);
    }
    return wanted;
  }

  #readerOf(address: string): void {
    if (this.#readers.has(address)) return;
    const open = async (): Promise<Route> => this.#route(address, await this.#source.credentials());
    this.#readers.set(address, new NodeReader(this.#redis, open));
  }

  #route(address: string, given: Credentials): Route {
    const dialled = this.#source.reach?.(address) ?? address;
    if (!this.#dialled.has(address) && this.#overTls.size > 0) this.#overTls.add(address);
    this.#dialled.set(address, dialled);
    const endpoint = parseAddress(dialled);
    const shown = (credentials: Credentials): Credentials =>
      checkingNames(credentials, endpoint.host, this.#source.ref);
    return {
      endpoint,
      credentials: shown(this.#overTls.has(address) ? withTls(given) : given),
      overTls: () => {
        this.#overTls.add(address);
        return shown(withTls(given));
      },
      close: () => undefined,
    };
  }
}

function withTls(credentials: Credentials): Credentials {
  return { ...credentials, tls: credentials.tls ?? {} };
}
