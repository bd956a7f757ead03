import { pace } from './pace.ts';

/**
 * Runs the rounds of one reading: never two at a time, and while it is started one a little after the other. Whoever
 * asks for a round gets one that began after the call.
 */
export class Rounds {
  running = false;
  readonly #run: (isPatient: boolean) => Promise<void>;
  #hasEnded = false;
  #isPatient = false;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** @param run one round; never rejects. Patient: somebody waits for the answer of every node, for as long as it may take */
  constructor(run: (isPatient: boolean) => Promise<void>) {
    this.#run = run;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.#hasEnded = false;
    void this.readNow();
  }

  /** No round begins any more; the one that runs ends by itself. */
  stop(): void {
    this.running = false;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  /** Ends with a round that began after the call: with the next one where one is running. */
  readNow(): Promise<void> {
    if (this.#round === undefined) return this.#begin();
    this.#next ??= this.#round.then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  /** As `readNow`, with a patient round. */
  readFully(): Promise<void> {
    this.#isPatient = true;
    return this.readNow();
  }

  #begin(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#hasEnded) return Promise.resolve();
    const isPatient = this.#isPatient;
    this.#isPatient = false;
    this.#round = this.#run(isPatient).finally(() => {
      this.#round = undefined;
      if (this.running) this.#timer = setTimeout(() => void this.readNow(), pace.readEveryMs);
    });
    return this.#round;
  }
}
