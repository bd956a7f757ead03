import type { SlotSet } from '../../model/slots.ts';

/** One server that a cluster is to be formed of, as it says of itself over a connection of its own. */
export interface FormServer {
  readonly id: string;
  /** What people call it: its pod or its address. */
  readonly name: string;
  /** Where the others reach it. */
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
  /** Servers with the same text go down together: the Kubernetes node or the machine. */
  readonly place: string;
  readonly keys: number;
  readonly slots: SlotSet;
  readonly role: 'master' | 'replica';
  /** The nodes it knows, by id. */
  readonly others: readonly string[];
  readonly version: string;
  /** It asks for a password and has none to sign in to a master with. */
  readonly lacksMasterAuth: boolean;
}

/** A server that a cluster cannot be formed with, and why. */
export interface FormObstacle {
  readonly name: string;
  readonly why: string;
}

/** What is known of all servers that are to form a cluster. */
export interface FormFacts {
  readonly servers: readonly FormServer[];
  readonly obstacles: readonly FormObstacle[];
}
